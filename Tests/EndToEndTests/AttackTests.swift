import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    /// Attacks on the server with an implementation that is not ours: nothing is gained, nobody else is disturbed, and who
    /// attacked may still do what its account allows.
    @Suite(.serialized, .enabled(if: Place.peer != nil, Peer.missing), .timeLimit(.minutes(15)))
    struct Attacks {
        // MARK: Logging in

        @Test func `Guessing passwords from many connections finds none and keeps nobody else out`() async throws {
            let siege = try await Siege.begin()
            // root's own tries wait here, for somebody at its address guesses its password.
            let facts = try await siege.attack("attack_logins.py", "guess", working: false)
            let attempts = try #require(facts.number("attempts"))
            let checks = siege.world.frank.count(": wrong password")
            #expect(attempts > 60, "\(facts)")
            #expect(facts.number("let in") == 0, "\(facts)")
            // Per user 5 at once, then 1, 2, 4, 8 s apart; per address 40, then one in 1.5 s.
            #expect(checks < 130, "\(checks) of \(attempts) guesses were checked")
            // While the guessing went on, which ends 11 s later.
            #expect(facts.number("logins.known").map { $0 < 13 } == true, "\(facts)")
            #expect(facts.number("logins.new").map { $0 < 30 } == true, "\(facts)")
            #expect(facts.number("memory").map { $0 < 60_000 } == true, "\(facts)")
            // The same password that was guessed works from where nobody guesses, and there once the wait is over.
            let elsewhere = try await siege.attack("attack_logins.py", "root-elsewhere", working: false)
            #expect(elsewhere.number("seconds").map { $0 < 10 } == true, "\(elsewhere)")
            Place.note(
                "attack: \(Int(attempts)) guesses of passwords in 14 s, \(checks) checked; a known user got in after "
                    + "\(facts.number("logins.known") ?? 0) s, a new one after \(facts.number("logins.new") ?? 0) s")
            try await eventually("root's wait is over", seconds: 70) {
                try await siege.world.ispy("devices").status == 0 ? true : nil
            }
            try await siege.end()
        }

        @Test func `Wrong logins that wait at one address do not make another address wait`() async throws {
            let siege = try await Siege.begin()
            let facts = try await siege.attack("attack_logins.py", "wait-elsewhere")
            #expect(facts.number("seconds").map { $0 < 9 } == true, "\(facts)")
            try await siege.end()
        }

        @Test func `What is said before the login is decided has no effect and takes no memory`() async throws {
            let siege = try await Siege.begin()
            let facts = try await siege.attack("attack_logins.py", "early")
            for name in facts.names where name != "appeared" {
                #expect(facts.flag("\(name).ended") == true, "\(name): \(facts)")
                #expect(facts.list("\(name).told") == [], "\(name): \(facts)")
            }
            #expect(facts.names.count == 6)
            #expect(facts.list("appeared") == [], "\(facts)")
            let flood = try await siege.attack("attack_logins.py", "early-flood")
            #expect(flood.flag("ended") == true, "\(flood)")
            #expect(flood.list("appeared") == [], "\(flood)")
            #expect(flood.number("memory").map { $0 < 40_000 } == true, "\(flood)")
            try await siege.end()
        }

        @Test func `A second authentication ends the session and changes no right`() async throws {
            let siege = try await Siege.begin()
            let facts = try await siege.attack("attack_logins.py", "twice")
            for name in ["other user", "other network", "administrator", "device"] {
                #expect(facts.number("\(name).first").map { $0 > 0 } == true, "\(name): \(facts)")
                #expect(facts.flag("\(name).ended") == true, "\(name): \(facts)")
                #expect(facts.list("\(name).more") == [], "\(name): \(facts)")
            }
            #expect(facts.flag("left") == false, "\(facts)")
            try await siege.end()
        }

        // MARK: Devices of others

        @Test func `Nobody becomes another's device, whether it is there or away`() async throws {
            let siege = try await Siege.begin()
            for when in ["there", "away"] {
                let facts = try await siege.attack("attack_devices.py", "announce", working: when == "there")
                for name in ["gained", "lost", "changed", "marked", "told"] {
                    #expect(facts.list(name) == [], "\(when), \(name): \(facts)")
                }
                #expect(facts.flag("own") == true, "\(when): \(facts)")
                guard when == "there" else { break }
                #expect(siege.candy.count("not connected") == 0)
                try await siege.candy.kill()
                try await siege.world.frank.line("device candy3.cafenet left")
            }
            // The real one comes back as what it was.
            let again = try await siege.world.candy(3)
            try await siege.end()
            try await again.stop()
        }

        @Test func `A unique id gives nobody the number of another, nor ends its connection`() async throws {
            let siege = try await Siege.begin()
            let facts = try await siege.attack("attack_devices.py", "automatic")
            let number = try #require(facts.list("number"))
            #expect(number.count == 1, "\(facts)")
            for when in ["there", "away"] {
                let thief = try #require(facts.list("\(when) thief"))
                #expect(thief.count == 1, "\(when): \(facts)")
                #expect(thief.first?.hasSuffix(String(number[0].dropFirst(4))) == false, "\(when): \(facts)")
                #expect(facts.flag("\(when) refused") == true, "\(when): \(facts)")
            }
            #expect(facts.list("there gina") == number, "\(facts)")
            #expect(facts.number("connections") == 1, "\(facts)")
            #expect(facts.list("away gina") == [], "\(facts)")
            #expect(facts.list("again") == number, "\(facts)")
            try await siege.end()
        }

        @Test func `Nobody removes the blocks of others`() async throws {
            let siege = try await Siege.begin()
            let facts = try await siege.attack("attack_devices.py", "remove")
            for name in ["operator", "device"] {
                #expect(facts.number("\(name).told").map { $0 > 0 } == true, "\(facts)")
                #expect(facts.list("\(name).gone") == [], "\(name): \(facts)")
            }
            #expect(facts.list("removed for others") == [], "\(facts)")
            #expect(facts.flag("own withdrawn") == true, "\(facts)")
            #expect(facts.flag("own again") == true, "\(facts)")
            try await siege.end()
        }

        @Test func `A hundred thousand blocks change nothing for others and take little memory`() async throws {
            let siege = try await Siege.begin()
            let facts = try await siege.attack("attack_devices.py", "flood")
            for name in ["own", "refused", "operator"] {
                #expect(facts.list("\(name).gained") == [], "\(name): \(facts)")
                #expect(facts.list("\(name).changed") == [], "\(name): \(facts)")
            }
            // More blocks than a connection may bring end it.
            #expect(facts.flag("own.ended") == true, "\(facts)")
            #expect(facts.list("watcher.lost") == [], "\(facts)")
            #expect(facts.number("peak").map { $0 < 60_000 } == true, "\(facts)")
            #expect(facts.flag("honest thief") == true, "\(facts)")
            Place.note("attack: 500,000 blocks announced; frank's memory grew by \(facts.number("peak") ?? 0) KiB")
            try await siege.end()
        }

        // MARK: A device that turned hostile

        @Test func `What a device says of itself costs others nothing`() async throws {
            let siege = try await Siege.begin()
            let facts = try await siege.attack("attack_devices.py", "describe", working: false, seconds: 150)
            #expect(facts.names.count == 9, "\(facts)")
            for name in facts.names {
                #expect(facts.flag("\(name).bound") == true, "\(name): \(facts)")
                for role in ["engineer", "operator", "viewer"] {
                    #expect(facts.flag("\(name).\(role)") == true, "\(name), \(role): \(facts)")
                }
                // An operator who comes then sees all devices as soon as ever; most of it is waiting for the last.
                #expect(facts.number("\(name).slowest").map { $0 < 15 } == true, "\(name): \(facts)")
            }
            try await siege.end()
        }

        @Test func `A device that moves its signals gives nobody a right at another`() async throws {
            let siege = try await Siege.begin()
            let before = try await siege.world.status()
            let facts = try await siege.attack("attack_devices.py", "shift", working: false)
            #expect(facts.flag("read first") == true, "\(facts)")
            #expect(facts.flag("program at itself") == false, "\(facts)")
            #expect(facts.flag("program at another") == false, "\(facts)")
            #expect(facts.flag("secret of another") == false, "\(facts)")
            #expect(siege.world.frank.count(" wrote ") == 0, "\(facts)")
            #expect(try await siege.world.status() == before)
            try await siege.end()
        }

        @Test func `Streams that go wild or stand still end in time, and everything else goes on`() async throws {
            let siege = try await Siege.begin()
            let facts = try await siege.attack("attack_devices.py", "states", working: false)
            for name in ["wild", "silent"] {
                #expect(facts.flag("\(name).wrote") == false, "\(facts)")
                #expect(facts.number("\(name).seconds").map { $0 < 60 } == true, "\(facts)")
                #expect(facts.flag("\(name).elsewhere") == true, "\(facts)")
                #expect(facts.flag("\(name).same back") == true, "\(facts)")
            }
            let snapshots = try await siege.attack("attack_devices.py", "snapshots", working: false)
            #expect(snapshots.number("sent").map { $0 > 1_000_000 } == true, "\(snapshots)")
            #expect(snapshots.number("peak").map { $0 < 40_000 } == true, "\(snapshots)")
            #expect(snapshots.number("slowest").map { $0 < 12 } == true, "\(snapshots)")
            #expect(snapshots.number("transfers").map { $0 > 1 } == true, "\(snapshots)")
            try await siege.end()
        }

        // MARK: Operators without the right

        @Test func `No program is written without the right, and none of it reaches the device`() async throws {
            let siege = try await Siege.begin()
            let before = try await siege.world.status()
            let facts = try await siege.attack("attack_streams.py", "program", working: false)
            for role in ["operator", "viewer"] {
                #expect(facts.flag("\(role).wrote") == false, "\(facts)")
                #expect(facts.number("\(role).state") == 0, "\(facts)")
            }
            #expect(facts.list("other network") == [], "\(facts)")
            #expect(try await siege.world.status() == before)
            #expect(siege.world.frank.count("denied at candy3.cafenet") > 0, "\(facts)")
            #expect(siege.world.frank.count(" wrote ") == 0, "\(facts)")
            #expect(!siege.candy.report.contains("upload"), "\(siege.candy.report)")
            try await siege.end()
        }

        @Test func `An upload ends well although others turn all its knobs`() async throws {
            let siege = try await Siege.begin(ring: 4_096)
            let facts = try await siege.attack("attack_streams.py", "interleave", working: false)
            #expect(facts.flag("ok") == true, "\(facts)")
            #expect(facts.flag("same back") == true, "\(facts)")
            #expect(facts.number("turns").map { $0 > 50 } == true, "\(facts)")
            #expect(facts.flag("others wrote") == nil)
            #expect(facts.flag("again") == true, "\(facts)")
            #expect(facts.flag("again back") == true, "\(facts)")
            try await siege.end()
        }

        @Test func `Not even an administrator reads or writes a secret`() async throws {
            let siege = try await Siege.begin()
            let facts = try await siege.attack("attack_streams.py", "secrets", working: false)
            for name in ["read", "wrote", "slipped"] { #expect(facts.list(name) == [], "\(name): \(facts)") }
            try await siege.end()
        }

        @Test func `Nobody of one network reaches a device of another`() async throws {
            let siege = try await Siege.begin()
            let facts = try await siege.attack("attack_streams.py", "network")
            #expect(facts.flag("bound") == true, "\(facts)")
            for name in ["told", "seen", "device told"] { #expect(facts.list(name) == [], "\(name): \(facts)") }
            #expect(facts.flag("touched") == false, "\(facts)")
            #expect(facts.number("connections") == 1, "\(facts)")
            try await siege.end()
        }

        // MARK: Stolen files

        @Test func `Stolen accounts and history hold nothing that logs in`() async throws {
            let siege = try await Siege.begin()
            let (world, folder) = (siege.world, siege.world.folder.path)
            // A device that is accepted, and one whose password is wrong.
            let pairedFile = try world.folder.write("paired", Array("secret of a new device".utf8))
            let wrongFile = try world.folder.write("wrong", Array("a mistyped password".utf8))
            for file in [pairedFile, wrongFile] { chmod(file, 0o600) }
            func start(_ name: String, _ password: String) throws -> RunningProgram {
                try RunningProgram(
                    Place.programs + "/candy",
                    [
                        "run", "--connect", world.tls, "--trust", world.trust, "--data", folder + "/" + name, "--name",
                        name, "--number", "7", "--password-file", password,
                    ], folder: folder)
            }
            let paired = try start("nova", pairedFile)
            let accepted = try await world.ispy("accounts", "accept", "cafenet", "nova7", "--yes", "--within", "30")
            #expect(accepted.status == 0, "\(accepted)")
            try await paired.line("connected to")
            let wrong = try start("candy", wrongFile)
            try await world.frank.line("refused candy7.cafenet")
            wrong.signal(SIGTERM)
            try await siege.work()

            var texts: Set<String> = []
            let secrets = ["secret of candy", "secret of thief", "secret of a new device", "a mistyped password"]
            for name in try FileManager.default.contentsOfDirectory(atPath: folder + "/frank")
            where !name.hasSuffix(".key.pem") && name != "persistent-4.dat" {
                let data = FileManager.default.contents(atPath: folder + "/frank/" + name) ?? Data()
                let text = String(decoding: data, as: UTF8.self)
                for secret in secrets { #expect(!text.contains(secret), "\(name) has '\(secret)'") }
                guard !name.hasSuffix(".pem") else { continue }
                texts.formUnion(Self.texts(in: data))
            }
            let log = world.frank.report
            for secret in secrets { #expect(!log.contains(secret)) }
            let hashes = texts.filter { $0.hasPrefix("$scrypt$") || $0.hasPrefix("!") }
            #expect(hashes.count >= 8, "\(texts)")
            let stolen = try world.folder.write("stolen", Array(texts.sorted().joined(separator: "\n").utf8))
            let facts = try await siege.attack("attack_streams.py", "stolen", working: false, stolen: stolen)
            #expect(facts.list("let in") == [], "\(facts)")
            #expect(facts.number("tries") == Double(texts.count * 2), "\(facts)")
            #expect(facts.number("refused") == facts.number("tries"), "\(facts)")
            try await paired.stop()
            try await siege.end()
        }

        /// Characters of the shortest text that is tried: what is shorter are names of users and of rights.
        private static let shortest = 14

        /// Everything in a file that can be read as a text of some length, whole and in the parts of a hash.
        private static func texts(in data: Data) -> Set<String> {
            var found: Set<String> = []
            for part in data.split(whereSeparator: { !(0x21...0x7E).contains($0) })
            where part.count >= Self.shortest {
                let text = String(decoding: part, as: UTF8.self)
                found.insert(text)
                if text.hasPrefix("!") { found.insert(String(text.dropFirst())) }
                guard text.hasPrefix("$") else { continue }
                found.formUnion(text.split(separator: "$").map(String.init).filter { $0.utf8.count >= Self.shortest })
            }
            return found
        }
    }
}
