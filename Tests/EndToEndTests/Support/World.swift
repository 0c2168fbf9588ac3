import Foundation
import UpdateTesting

/// A frank with accounts, on free ports of loopback, and what is started around it. All of it ends with the test.
final class World: Sendable {
    /// Everything is in here.
    let folder: TemporaryFolder
    /// The server.
    let frank: RunningProgram
    /// Where it serves TLS.
    let tls: String
    /// Where it serves plain TCP.
    let tcp: String
    /// Secret of every candy here.
    let passwordFile: String

    /// What is in that file.
    static let secret = Array("secret of candy".utf8)

    /// Packages folder.
    var packages: String { folder.path + "/packages" }
    /// The authority to trust.
    var trust: String { folder.path + "/frank/trust.pem" }

    private init(
        folder: TemporaryFolder, frank: RunningProgram, tls: String, tcp: String, passwordFile: String
    ) {
        self.folder = folder
        self.frank = frank
        self.tls = tls
        self.tcp = tcp
        self.passwordFile = passwordFile
    }

    /// Makes the data folder, or copies one that another world had, and starts the server. `roles` are privileges, each of
    /// which gets an account of its name.
    static func start(
        accounts: [String] = ["candy*"], roles: [String] = [], publish: [String] = ["cafenet"], run: [String] = [],
        copying template: String? = nil
    ) async throws -> World {
        let folder = try TemporaryFolder()
        let passwordFile = try folder.write("password", secret)
        chmod(passwordFile, 0o600)
        try FileManager.default.createDirectory(
            atPath: folder.path + "/packages/esp32", withIntermediateDirectories: true)
        let data = ["--data", folder.path + "/frank"]
        var adding = roles.map { ["accounts", "add", $0, "--privileges", $0, "--password-file", passwordFile] }
        for network in publish {
            adding += accounts.map { ["accounts", "add", $0, "--network", network, "--password-file", passwordFile] }
        }
        if let template { try FileManager.default.copyItem(atPath: template, toPath: folder.path + "/frank") }
        let steps = [["init", "--demo", "--publish", publish.joined(separator: ",")]] + adding
        for arguments in template == nil ? steps : [] {
            let result = try await RunningProgram(
                Place.programs + "/frank", arguments + data, folder: folder.path
            ).end()
            guard result.status == 0 else { throw Unexpected("\(result)") }
        }
        let frank = try await startFrank(folder, tls: "tls://127.0.0.1:0", tcp: "tcp://127.0.0.1:0", run)
        return World(
            folder: folder, frank: frank.program, tls: frank.tls, tcp: frank.tcp, passwordFile: passwordFile)
    }

    /// The same server started again after it was killed, on the same ports.
    func restarted() async throws -> World {
        let again = try await Self.startFrank(folder, tls: tls, tcp: tcp)
        return World(folder: folder, frank: again.program, tls: tls, tcp: tcp, passwordFile: passwordFile)
    }

    private static func startFrank(
        _ folder: TemporaryFolder, tls: String, tcp: String, _ extra: [String] = []
    ) async throws -> (program: RunningProgram, tls: String, tcp: String) {
        let program = try RunningProgram(
            Place.programs + "/frank",
            ["run", "--data", folder.path + "/frank", "--listen", tls, "--listen", tcp] + extra,
            folder: folder.path)
        return (program, try await program.address("tls"), try await program.address("tcp"))
    }

    /// Writes a package into the packages folder; gives its path.
    func write(_ bytes: [UInt8], asPackage name: String, os: String) throws -> String {
        let place = "\(packages)/\(os)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: "\(place)/\(name)"))
        return "\(place)/\(name)"
    }

    /// Starts a device; `extra` are further options. Returns when it is connected.
    func candy(
        _ number: Int = 3, image: String? = nil, at address: String? = nil, _ extra: [String] = [],
        hardware: String = "esp32"
    ) async throws -> RunningProgram {
        let candy = try startCandy(number, image: image, at: address, extra, hardware: hardware)
        try await candy.line(": connected to")
        return candy
    }

    /// Starts a device without waiting.
    func startCandy(
        _ number: Int = 3, image: String? = nil, at address: String? = nil, _ extra: [String] = [],
        hardware: String = "esp32"
    ) throws -> RunningProgram {
        try RunningProgram(
            Place.programs + "/candy",
            [
                "run", "--connect", address ?? tls, "--trust", trust, "--data", candyFolder(number), "--hardware",
                hardware,
                "--number", "\(number)", "--password-file", passwordFile,
            ] + (image.map { ["--image", $0] } ?? []) + extra, folder: folder.path)
    }

    /// Data folder of a device.
    func candyFolder(_ number: Int) -> String { folder.path + "/candy\(number)" }

    /// Runs `candy flash …` to its end.
    func candyFlash(_ number: Int, _ arguments: [String]) async throws -> Finished {
        try await RunningProgram(
            Place.programs + "/candy", ["flash"] + arguments + ["--data", candyFolder(number)], folder: folder.path
        ).end()
    }

    /// Starts ispy with the connection's options behind `arguments`; over TLS to the server unless `at` says otherwise.
    func startISpy(_ arguments: [String], at address: String? = nil) throws -> RunningProgram {
        try RunningProgram(
            Place.programs + "/ispy",
            arguments + ["--connect", address ?? tls, "--trust", trust, "--user", "root.cafenet"],
            environment: ["ISPY_PASSWORD": "pass", "IOCOM_PACKAGES": packages], folder: folder.path)
    }

    /// Runs ispy to its end.
    func ispy(_ arguments: String..., at address: String? = nil) async throws -> Finished {
        try await startISpy(arguments, at: address).end()
    }

    /// `ispy program status` of a device; waits until the device is there.
    func status(_ device: String = "candy3.cafenet") async throws -> ProgramState {
        try await eventually("\(device) is there: \(frank.report)") {
            let result = try await ispy("program", "status", device, "--json")
            guard result.status == 0 else { return nil }
            return try ProgramState(result.object())
        }
    }

    /// Ends the server cleanly.
    func stop() async throws { try await frank.stop() }
}

/// What `ispy program status` says.
struct ProgramState: Equatable {
    let version: String
    let previous: String?
    let state: String
    let reason: String?
}

extension ProgramState {
    /// Reads what `--json` prints.
    init(_ object: [String: Any]) {
        self.init(
            version: object["version"] as? String ?? "", previous: object["previous"] as? String,
            state: object["state"] as? String ?? "", reason: object["reason"] as? String)
    }
}

extension RunningProgram {
    /// The address after `listening on` for a transport.
    func address(_ transport: String) async throws -> String {
        let line = try await line("listening on \(transport)://")
        guard let at = line.range(of: "\(transport)://") else { throw Unexpected("no address in '\(line)'") }
        return String(line[at.lowerBound...].prefix { !$0.isWhitespace })
    }
}

extension String {
    /// The port at the end of an address.
    var port: UInt16 { split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }
}
