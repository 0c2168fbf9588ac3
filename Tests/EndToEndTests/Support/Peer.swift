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
        guard isClean(object) else { throw Unexpected("violations: \(result)") }
        return object
    }

    /// Ends a server or device of it and checks the sessions it had: at least `sessions`, without a violation of
    /// either side.
    static func finish(_ program: RunningProgram, sessions: Int) async throws {
        program.signal(SIGTERM)
        let result = try await program.end(seconds: 60)
        var seen = 0
        for line in result.output.split(separator: "\n") {
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                object["event"] as? String == "session"
            else { continue }
            seen += 1
            guard isClean(object) else { throw Unexpected("violations: \(result)") }
        }
        // 1 says that there were violations, which were looked at above.
        guard seen >= sessions, result.status == 0 || result.status == 1 else {
            throw Unexpected("\(seen) sessions instead of \(sessions): \(result)")
        }
    }

    /// Neither side violated the protocol. That something came late is no fault of it where other tests keep the machine
    /// busy; what has to come in which time is tested with a clock of its own (IOCOMTests).
    private static func isClean(_ session: [String: Any]) -> Bool {
        ["violations", "own_violations"].allSatisfy { name in
            (session[name] as? [[String: Any]])?.allSatisfy { late.contains($0["code"] as? String ?? "") } == true
        }
    }

    /// Codes of messages that came after their time, or then twice.
    private static let late: Set = ["ack-late", "ack-stale", "ack-first-missing", "keepalive-late"]
}
