import Foundation
import Testing
import UpdateTesting

/// The life of certificates with real programs whose clock is moved: renewal, a key kept elsewhere, a change of the
/// authority, the time after the end. What is served is checked with openssl.
extension EndToEnd {
    @Suite(.serialized) struct CertificateTests {
        @Test func fortyDaysBeforeTheEndTheServerRenewsByItselfAndNobodyNotices() async throws {
            let place = try await CertifiedPlace.start()
            let candy = try place.candy(3)
            try await candy.line(": connected to")
            let trust = try place.text("frank/trust.pem")
            let before = try await place.served()
            #expect(try await place.frankShows("daysLeft") == 729)

            try place.clock.move(days: 690)
            try await place.frank.line("the server's certificate was renewed for")
            try await place.frank.line("connections get the certificate with SHA-256")
            let after = try await place.served()
            #expect(after != before)
            // Certificates know whole seconds only, so the first half second may be more than was asked for.
            let left = try await place.frankShows("daysLeft")
            #expect(left == 729 || left == 730, "\(left ?? 0)")
            #expect(try await place.verifies(after, trust: "frank/trust.pem", days: 690 + 700))
            #expect(try await !place.verifies(before, trust: "frank/trust.pem", days: 690 + 700))
            #expect(try place.text("frank/trust.pem") == trust)

            let second = try place.candy(4)
            try await second.line(": connected to")
            try await place.devices(["candy3.cafenet", "candy4.cafenet"])
            // The connection from before the renewal is the same one.
            #expect(candy.count(": connected to") == 1 && candy.count("not connected") == 0)
            let days = try await place.signal("cert_days", of: "frank1.cafenet")
            #expect(days == "729" || days == "730", "\(days)")
            #expect(try await place.signal("ca_days", of: "frank1.cafenet") == "\(15 * 365 - 690 - 1)")
            #expect(try await place.signal("cert_text", of: "frank1.cafenet").contains("valid until"))
            try await place.frank.stop()
        }

        @Test func whereTheKeyIsKeptElsewhereThePeopleAreToldAndTheKeyIsEnough() async throws {
            let place = try await CertifiedPlace.start()
            let files = FileManager.default
            try files.moveItem(atPath: place.path("frank/ca.key.pem"), toPath: place.path("safe.pem"))
            try place.clock.move(days: 690)
            let problem = try await place.frank.line("problem: the server's certificate")
            #expect(problem.contains("ends in 39 days") || problem.contains("ends in 40 days"), "\(problem)")
            #expect(problem.contains("frank certificates renew --data") && problem.contains("ca.key.pem"))
            let refused = try await place.certificates("renew")
            #expect(refused.status == 1 && refused.errors.contains("is not in the data folder"), "\(refused)")
            let text = try await place.signal("cert_text", of: "frank1.cafenet")
            #expect(text.contains("ends in"), "\(text)")
            let shown = try await place.certificates("show")
            #expect(shown.output.contains("WARNING") && shown.output.contains("not in the data folder"), "\(shown)")

            // Loudly after the end.
            try place.clock.move(days: 735)
            try await place.frank.line("NOBODY WHO CHECKS IT CONNECTS ANY MORE")
            // The key comes back: nothing else has to be done.
            try files.moveItem(atPath: place.path("safe.pem"), toPath: place.path("frank/ca.key.pem"))
            try await place.frank.line("the server's certificate was renewed for")
            try await place.frank.line("connections get the certificate with SHA-256")
            try await place.devices([])
            try await place.frank.stop()
        }

        @Test func aRenewalByCommandIsServedWithoutARestart() async throws {
            let place = try await CertifiedPlace.start()
            let candy = try place.candy(3)
            try await candy.line(": connected to")
            let before = try await place.served()
            let renewed = try await place.certificates("renew", "--host", "io.example", "--new-key")
            #expect(renewed.status == 0 && renewed.output.contains("io.example"), "\(renewed)")
            try await place.frank.line("connections get the certificate with SHA-256")
            let after = try await place.served()
            #expect(after != before)
            #expect(try await place.verifies(after, trust: "frank/trust.pem", days: 1))
            let look = try await place.ispy("certificates", "show", "--json", trust: "frank/trust.pem")
            #expect(look.status == 0, "\(look)")
            let chain = try look.object()["chain"] as? [[String: Any]]
            #expect((chain?.first?["names"] as? [String])?.contains("io.example") == true)
            #expect(candy.count(": connected to") == 1 && candy.count("not connected") == 0)

            // A key that belongs to another certificate is not taken, and the server says so; then the right one is back.
            let key = try place.text("frank/server.key.pem")
            try place.write("frank/server.key.pem", try place.text("frank/ca.key.pem"))
            try await place.frank.line("the certificates in the data folder can't be used")
            #expect(try await place.served() == after)
            try await place.devices(["candy3.cafenet"])
            try place.write("frank/server.key.pem", key)
            try await place.frank.stop()
        }

        @Test func theAuthorityChangesWithoutLosingWhoWasGivenTheNextOne() async throws {
            let place = try await CertifiedPlace.start()
            try place.copyTrust(to: "trust3.pem")
            try place.copyTrust(to: "trust4.pem")
            var told = try place.candy(3, trust: "trust3.pem")
            let untold = try place.candy(4, trust: "trust4.pem")
            try await told.line(": connected to")
            try await untold.line(": connected to")

            // 1. The next authority.
            let made = try await place.certificates("new-ca")
            #expect(made.status == 0 && made.output.contains("Next:"), "\(made)")
            #expect(try place.text("frank/trust.pem").components(separatedBy: "BEGIN CERTIFICATE").count == 3)
            try await eventually("what devices get is what is trusted") {
                try place.text("frank/persistent-10.dat") == place.text("frank/trust.pem") + "\0" ? true : nil
            }

            // 2. It is given to one of the two.
            let wrong = try await place.ispy(
                "certificates", "trust", "candy3.cafenet", "--file", place.path("frank/server.pem"),
                trust: "frank/trust.pem")
            #expect(wrong.status == 1 && wrong.errors.contains("is no authority"), "\(wrong)")
            let lockedOut = try await place.ispy(
                "certificates", "trust", "candy3.cafenet", "--file", place.path("frank/next-ca.pem"),
                trust: "frank/trust.pem")
            #expect(lockedOut.status == 1 && lockedOut.errors.contains("could not come back"), "\(lockedOut)")
            let given = try await place.ispy("certificates", "trust", "candy3.cafenet", trust: "frank/trust.pem")
            #expect(given.status == 0 && given.output.contains("written"), "\(given)")
            try await told.line("restarting")
            try await told.line(": connected to", count: 2)
            let states = try await place.trustStates()
            #expect(states == ["candy3.cafenet": "same", "candy4.cafenet": "none"], "\(states)")
            let again = try await place.ispy("certificates", "trust", "candy3.cafenet", trust: "frank/trust.pem")
            #expect(again.status == 0 && again.output.contains("has it already"), "\(again)")
            try await told.stop()
            try place.copyTrust(to: "trust3.pem")
            told = try place.candy(3, trust: "trust3.pem")
            try await told.line(": connected to")

            // 3. The change itself: not without being asked.
            let unasked = try await place.certificates("switch-ca")
            #expect(unasked.status == 2 && unasked.errors.contains("--yes"), "\(unasked)")
            let oldServed = try await place.served()
            let switched = try await place.certificates("switch-ca", "--yes")
            #expect(switched.status == 0, "\(switched)")
            try await place.frank.line("connections get the certificate with SHA-256")
            let newServed = try await place.served()
            #expect(newServed != oldServed)
            #expect(try await place.verifies(newServed, trust: "frank/trust.pem", days: 0))
            #expect(try await !place.verifies(newServed, trust: "trust4.pem", days: 0))
            // Connections go on, also of who does not know the new one; gone is who has to connect again.
            try await place.devices(["candy3.cafenet", "candy4.cafenet"])
            try await untold.kill()
            let gone = try place.candy(4, trust: "trust4.pem")
            try await gone.line("not connected")
            // The server's log says from where somebody came who has to be given the next one.
            try await place.frank.line("connection from 127.0.0.1 ended before a login: the peer looked at")
            try await place.devices(["candy3.cafenet"])
            #expect(told.count("not connected") == 0)

            // 4. Back: the second returns by itself.
            let back = try await place.certificates("switch-ca", "--back")
            #expect(back.status == 0, "\(back)")
            try await gone.line(": connected to", seconds: 60)
            try await place.devices(["candy3.cafenet", "candy4.cafenet"])

            // 5. The second gets it too, then the change is made and ended.
            try await gone.stop()
            try place.copyTrust(to: "trust4.pem")
            let both = try place.candy(4, trust: "trust4.pem")
            try await both.line(": connected to")
            #expect(try await place.certificates("switch-ca", "--yes").status == 0)
            try await place.frank.line("connections get the certificate with SHA-256", count: 3)
            let retired = try await place.certificates("retire-ca", "--yes")
            #expect(retired.status == 0 && retired.output.contains("destroyed"), "\(retired)")
            #expect(try place.text("frank/trust.pem").components(separatedBy: "BEGIN CERTIFICATE").count == 2)
            let served = try await place.served()
            #expect(try await place.verifies(served, trust: "frank/trust.pem", days: 0))
            try await place.devices(["candy3.cafenet", "candy4.cafenet"])
            let old = try await place.ispy("devices", trust: "old.pem")
            #expect(old.status == 3 && old.errors.contains("present trust.pem of that server"), "\(old)")
            #expect(told.count("not connected") == 0)
            let none = try await place.certificates("retire-ca", "--yes")
            #expect(none.status == 0 && none.output.contains("Nothing to do"), "\(none)")

            // The server also starts with it.
            try await place.frank.stop()
            let restarted = try await place.startFrank()
            try await both.line(": connected to", count: 2, seconds: 60)
            try await restarted.stop()
        }

        @Test func afterTheEndDevicesStayAndOperatorsAreToldWhy() async throws {
            let place = try await CertifiedPlace.start()
            try FileManager.default.removeItem(atPath: place.path("frank/ca.key.pem"))
            let candy = try place.candy(3)
            try await candy.line(": connected to")
            try place.clock.move(days: 740)
            try await place.frank.line("NOBODY WHO CHECKS IT CONNECTS ANY MORE")

            let allowed = try place.candy(4)
            try await allowed.line(": connected to")
            let refusing = try place.candy(5, ["--expired-certificates", "refuse"])
            let why = try await refusing.line("not connected")
            #expect(why.contains("certificate"), "\(why)")

            let refused = try await place.ispy("devices", trust: "frank/trust.pem")
            #expect(
                refused.status == 3 && refused.errors.contains("ended at 20")
                    && refused.errors.contains("frank certificates renew") && refused.errors.contains(place.address),
                "\(refused)")
            let shown = try await place.ispy("certificates", "show", "--json", trust: "frank/trust.pem")
            #expect(shown.status == 1)
            #expect(try shown.object()["finding"] as? String == "out of date")
            let meant = try await place.ispy("devices", "--allow-expired", "--json", trust: "frank/trust.pem")
            #expect(meant.status == 0, "\(meant)")
            let paths = try meant.array().compactMap { $0["path"] as? String ?? $0["device"] as? String }
            #expect(paths.contains("candy3.cafenet") && paths.contains("candy4.cafenet"))
            // Whoever allows ended certificates still wants the right authority.
            let foreign = try await CertifiedPlace.foreignTrust(in: place)
            let stranger = try await place.ispy("devices", "--allow-expired", trust: foreign)
            #expect(stranger.status == 3, "\(stranger)")
            #expect(candy.count("not connected") == 0)
            try await place.frank.stop()
        }

        @Test func aServerThatIsNotThereIsToldFromOneWithAWrongCertificate() async throws {
            let place = try await CertifiedPlace.start()
            let address = place.address
            let foreign = try await CertifiedPlace.foreignTrust(in: place)
            let untrusted = try await place.ispy("certificates", "show", trust: foreign)
            #expect(untrusted.status == 1 && untrusted.errors.contains("which is not in"), "\(untrusted)")
            let other = try await place.ispy("certificates", "show", "--json", trust: "frank/trust.pem", at: address)
            #expect(other.status == 0)
            try await place.frank.stop()
            let gone = try await place.ispy("certificates", "show", trust: "frank/trust.pem")
            #expect(gone.status == 3, "\(gone)")
        }
    }
}

/// A server with a movable clock, its data folder, and what is started around it.
final class CertifiedPlace: @unchecked Sendable {
    let folder: TemporaryFolder
    let clock: MovedClock
    private(set) var frank: RunningProgram
    private(set) var address = "tls://127.0.0.1:0"
    private let passwordFile: String

    private init(_ folder: TemporaryFolder, _ clock: MovedClock, _ frank: RunningProgram, _ passwordFile: String) {
        self.folder = folder
        self.clock = clock
        self.frank = frank
        self.passwordFile = passwordFile
    }

    static func start() async throws -> CertifiedPlace {
        let folder = try TemporaryFolder()
        let clock = try await MovedClock(in: folder)
        let passwordFile = try folder.write("password", Array("secret of candy".utf8))
        chmod(passwordFile, 0o600)
        for arguments in [["init", "--demo"], ["accounts", "add", "candy*", "--password-file", passwordFile]] {
            let result = try await RunningProgram(
                Place.programs + "/frank", arguments + ["--data", folder.path + "/frank"],
                environment: clock.environment, folder: folder.path
            ).end()
            guard result.status == 0 else { throw Unexpected("\(result)") }
        }
        let frank = try RunningProgram(
            Place.programs + "/frank", ["run", "--data", folder.path + "/frank", "--listen", "tls://127.0.0.1:0"],
            environment: clock.environment, folder: folder.path)
        let place = CertifiedPlace(folder, clock, frank, passwordFile)
        place.address = try await frank.address("tls")
        try place.copyTrust(to: "old.pem")
        return place
    }

    /// Starts the server again where it was.
    func startFrank() async throws -> RunningProgram {
        let again = try RunningProgram(
            Place.programs + "/frank", ["run", "--data", folder.path + "/frank", "--listen", address],
            environment: clock.environment, folder: folder.path)
        _ = try await again.address("tls")
        frank = again
        return again
    }

    func path(_ name: String) -> String { folder.path + "/" + name }
    func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }
    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
        chmod(path(name), 0o600)
    }
    func copyTrust(to name: String) throws { try write(name, try text("frank/trust.pem")) }

    func candy(_ number: Int, trust: String = "frank/trust.pem", _ extra: [String] = []) throws -> RunningProgram {
        try RunningProgram(
            Place.programs + "/candy",
            [
                "run", "--connect", address, "--trust", path(trust), "--data", path("candy\(number)"), "--number",
                "\(number)", "--password-file", passwordFile,
            ] + extra, environment: clock.environment, folder: folder.path)
    }

    func candy(_ number: Int, _ extra: [String]) throws -> RunningProgram {
        try candy(number, trust: "frank/trust.pem", extra)
    }

    func ispy(_ arguments: String..., trust: String, at address: String? = nil) async throws -> Finished {
        let values = clock.environment.merging(["ISPY_PASSWORD": "pass"]) { $1 }
        return try await RunningProgram(
            Place.programs + "/ispy",
            arguments + ["--connect", address ?? self.address, "--trust", path(trust), "--user", "root.cafenet"],
            environment: values, folder: folder.path
        ).end()
    }

    func certificates(_ arguments: String...) async throws -> Finished {
        try await RunningProgram(
            Place.programs + "/frank", ["certificates"] + arguments + ["--data", path("frank")],
            environment: clock.environment, folder: folder.path
        ).end()
    }

    /// A fact about the server's certificate.
    func frankShows(_ name: String) async throws -> Int? {
        let server = try await certificates("show", "--json").object()["server"] as? [String: Any]
        return server?[name] as? Int
    }

    /// Waits until exactly these candies are there.
    func devices(_ wanted: [String]) async throws {
        var seen: [String] = []
        try await eventually("devices \(wanted), not \(seen)") { () async throws -> Bool? in
            let result = try await ispy("devices", "--json", trust: "frank/trust.pem")
            guard result.status == 0 else { return nil }
            seen = try result.array().compactMap { $0["path"] as? String ?? $0["device"] as? String }
                .filter { $0.hasPrefix("candy") }
            return seen.sorted() == wanted ? true : nil
        }
    }

    func signal(_ name: String, of device: String) async throws -> String {
        let result = try await ispy("signals", device, "--json", trust: "frank/trust.pem")
        guard result.status == 0 else { throw Unexpected("\(result)") }
        let row = try result.array().first { ($0["name"] as? String ?? $0["signal"] as? String) == name }
        return row.flatMap { $0["value"] }.map { "\($0)" } ?? "nothing: \(result)"
    }

    /// What each candy trusts, as `ispy certificates trust --show --all` says.
    func trustStates() async throws -> [String: String] {
        let result = try await ispy("certificates", "trust", "--show", "--all", "--json", trust: "frank/trust.pem")
        guard result.status == 0 else { throw Unexpected("\(result)") }
        var states: [String: String] = [:]
        for row in try result.array() { states[row["device"] as? String ?? ""] = row["state"] as? String }
        return states
    }

    // MARK: openssl

    /// PEM of the certificate that connections get.
    func served() async throws -> String {
        let port = address.port
        let result = try await RunningProgram(
            "/usr/bin/env",
            ["openssl", "s_client", "-showcerts", "-connect", "127.0.0.1:\(port)"], folder: folder.path
        ).end()
        guard let start = result.output.range(of: "-----BEGIN CERTIFICATE-----"),
            let end = result.output.range(of: "-----END CERTIFICATE-----")
        else { throw Unexpected("\(result)") }
        return String(result.output[start.lowerBound..<end.upperBound]) + "\n"
    }

    /// Whether openssl accepts it that many days from now with these authorities.
    func verifies(_ pem: String, trust: String, days: Int) async throws -> Bool {
        try write("served.pem", pem)
        let time = Int(Date().timeIntervalSince1970) + days * 86_400
        return try await RunningProgram(
            "/usr/bin/env",
            [
                "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "127.0.0.1", "-attime",
                "\(time)", "-CAfile", path(trust), path("served.pem"),
            ], folder: folder.path
        ).end().status == 0
    }

    /// The trust.pem of another server.
    static func foreignTrust(in place: CertifiedPlace) async throws -> String {
        let result = try await RunningProgram(
            Place.programs + "/frank", ["init", "--demo", "--data", place.path("foreign")], folder: place.folder.path
        ).end()
        guard result.status == 0 else { throw Unexpected("\(result)") }
        return "foreign/trust.pem"
    }
}
