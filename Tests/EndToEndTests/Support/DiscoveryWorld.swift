import Foundation
import UpdateTesting

/// Servers, devices and operators in networks of their own, which find each other by announcements.
final class DiscoveryWorld: Sendable {
    let folder: TemporaryFolder
    let passwordFile: String
    /// The authority of the right server.
    var trust: String { folder.path + "/frank/trust.pem" }

    private static let script = Place.root + "/Tests/EndToEndTests/Discovery/announcements.py"
    static let networks = ["cafenet", "asteroidnet"]

    /// Makes the data folder of the right server, and another one of another authority.
    init() async throws {
        folder = try TemporaryFolder()
        passwordFile = try folder.write("password", Array("secret of candy".utf8))
        chmod(passwordFile, 0o600)
        for name in ["frank", "other"] {
            let data = ["--data", folder.path + "/\(name)"]
            for arguments in [
                ["init", "--demo", "--publish", Self.networks.joined(separator: ",")],
                ["accounts", "add", "candy*", "--password-file", passwordFile],
            ] {
                let result = try await RunningProgram(
                    Place.programs + "/frank", arguments + data, folder: folder.path
                ).end()
                guard result.status == 0 else { throw Unexpected("\(result)") }
            }
        }
    }

    /// Starts the server; returns when it announces itself.
    func frank(
        in space: NetworkSpace, listen: [String], _ extra: [String] = []
    ) async throws -> (program: RunningProgram, addresses: [String]) {
        let program = try space.start(
            Place.programs + "/frank",
            ["run", "--data", folder.path + "/frank", "--announce", "--nickname", "grumpy"]
                + listen.flatMap { ["--listen", $0] } + extra, folder: folder.path)
        try await program.line("announcing cafenet, asteroidnet as grumpy")
        let said = program.output.split(separator: "\n").filter { $0.hasPrefix("listening on ") }
        return (program, said.map { String($0.dropFirst("listening on ".count)) })
    }

    func candy(
        in space: NetworkSpace, _ number: Int = 3, connect: String = "*", _ extra: [String] = []
    ) throws -> RunningProgram {
        try space.start(
            Place.programs + "/candy",
            [
                "run", "--connect", connect, "--trust", trust, "--data", folder.path + "/candy\(number)", "--number",
                "\(number)", "--password-file", passwordFile,
            ] + extra, folder: folder.path)
    }

    /// Runs ispy to its end; without `connect` as it is.
    func ispy(in space: NetworkSpace, _ arguments: [String], connect: String? = nil) async throws -> Finished {
        let connection =
            connect.map { ["--connect", $0, "--trust", trust, "--user", "root.cafenet"] } ?? []
        return try await space.start(
            Place.programs + "/ispy", arguments + connection, environment: ["ISPY_PASSWORD": "pass"],
            folder: folder.path
        ).end(seconds: 60)
    }

    /// What `ispy discover` finds: `server network address`.
    func discover(in space: NetworkSpace, _ extra: String...) async throws -> [String] {
        let result = try await ispy(in: space, ["discover", "--json"] + extra)
        guard result.status == 0 else { throw Unexpected("\(result)") }
        return try result.array().map {
            "\($0["server"] as? String ?? "") \($0["network"] as? String ?? "") \($0["address"] as? String ?? "")"
        }
    }

    /// Starts a command of the independent program.
    func independent(in space: NetworkSpace, _ arguments: String...) throws -> RunningProgram {
        try space.start(
            "/usr/bin/env", ["python3", "-u", Self.script] + arguments,
            environment: ["PYTHONDONTWRITEBYTECODE": "1"], folder: folder.path)
    }

    /// The lines of the independent program about an event.
    static func events(_ name: String, of program: RunningProgram) throws -> [[String: Any]] {
        try program.output.split(separator: "\n").compactMap {
            let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            return object?["event"] as? String == name ? object : nil
        }
    }
}
