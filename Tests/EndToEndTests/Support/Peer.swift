import Foundation
import Testing

/// The independent implementation beside the checkout.
enum Peer {
    static let missing: Comment = "the independent peer is not here; set IOCOM_PEER to its folder (iocom_peer in it)"

    /// Starts a command of it.
    static func start(_ arguments: [String], folder: String) throws -> RunningProgram {
        guard let peer = Place.peer else { throw Unexpected("\(missing)") }
        return try RunningProgram(
            "/usr/bin/env", ["python3", "-m", "iocom_peer"] + arguments,
            environment: ["PYTHONPATH": peer, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"], folder: folder)
    }

    /// Starts a script of this folder that uses it.
    static func script(_ name: String, _ arguments: [String], folder: String) throws -> RunningProgram {
        guard let peer = Place.peer else { throw Unexpected("\(missing)") }
        let path = Place.root + "/Tests/EndToEndTests/Peers/" + name
        return try RunningProgram(
            "/usr/bin/env", ["python3", path] + arguments,
            environment: ["PYTHONPATH": peer, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"], folder: folder)
    }

    /// Runs a command to its end and gives its JSON object, whose lists of violations of either side must be empty.
    static func run(_ arguments: [String], folder: String) async throws -> [String: Any] {
        let result = try await start(arguments + ["--json"], folder: folder).end(seconds: 300)
        let object = try result.object()
        for name in ["violations", "own_violations"] {
            guard let list = object[name] as? [Any], list.isEmpty else { throw Unexpected("\(name): \(result)") }
        }
        return object
    }

    /// Ends a server or device of it and checks the sessions it had: at least `sessions`, without a violation of
    /// either side.
    static func finish(_ program: RunningProgram, sessions: Int) async throws {
        program.signal(SIGTERM)
        let result = try await program.end(seconds: 20)
        var seen = 0
        for line in result.output.split(separator: "\n") {
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                object["event"] as? String == "session"
            else { continue }
            seen += 1
            for name in ["violations", "own_violations"] {
                guard let list = object[name] as? [Any], list.isEmpty else { throw Unexpected("\(name): \(result)") }
            }
        }
        guard seen >= sessions, result.status == 0 else {
            throw Unexpected("\(seen) sessions instead of \(sessions): \(result)")
        }
    }
}
