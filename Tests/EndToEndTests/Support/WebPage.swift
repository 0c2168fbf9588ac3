import Foundation
import UpdateTesting

/// `ispy web`, and its API as a script uses it.
final class WebPage: Sendable {
    let program: RunningProgram
    /// `http://127.0.0.1:PORT`
    let address: String
    let token: String
    let folder: TemporaryFolder

    private init(_ program: RunningProgram, address: String, token: String, folder: TemporaryFolder) {
        self.program = program
        self.address = address
        self.token = token
        self.folder = folder
    }

    /// Starts it for this user on loopback.
    static func start(packages: String, _ options: [String] = []) async throws -> WebPage {
        let folder = try TemporaryFolder()
        let program = try RunningProgram(
            Place.programs + "/ispy",
            ["web", "--listen", "127.0.0.1:0", "--data", folder.path + "/data", "--packages", packages] + options,
            environment: ["HOME": folder.path], folder: folder.path)
        let line = try await program.line("ispy is at ")
        guard let address = line.split(separator: " ").first(where: { $0.hasPrefix("http") }) else {
            throw Unexpected("no address: \(line)")
        }
        let token = try String(contentsOfFile: folder.path + "/data/web-token", encoding: .utf8)
        return WebPage(
            program, address: String(address.dropLast(address.hasSuffix("/") ? 1 : 0)),
            token: token.trimmingCharacters(in: .whitespacesAndNewlines), folder: folder)
    }

    /// What came back.
    struct Answer: CustomStringConvertible {
        var status: Int
        var text: String

        var description: String { "\(status): \(text.prefix(2000))" }
        var json: Any? { try? JSONSerialization.jsonObject(with: Data(text.utf8)) }
        subscript(name: String) -> Any? { (json as? [String: Any])?[name] }
        var list: [[String: Any]] { json as? [[String: Any]] ?? [] }
        var error: String { (self["error"] as? [String: Any])?["text"] as? String ?? "" }
        var kind: String { (self["error"] as? [String: Any])?["kind"] as? String ?? "" }
    }

    /// Runs curl with these arguments; `path` is behind the address.
    func curl(_ path: String, _ arguments: [String], seconds: Double = 60) async throws -> Answer {
        let result = try await RunningProgram(
            "/usr/bin/env",
            ["curl", "--silent", "--show-error", "--path-as-is", "--write-out", "\n%{http_code}"] + arguments
                + [address + path], folder: folder.path
        ).end(seconds: seconds)
        guard let last = result.output.split(separator: "\n", omittingEmptySubsequences: false).last,
            let status = Int(last)
        else { throw Unexpected("\(result)") }
        return Answer(status: status, text: String(result.output.dropLast(last.count + 1)))
    }

    /// A request as a script makes it.
    func api(_ method: String, _ path: String, _ body: Any? = nil) async throws -> Answer {
        var arguments = ["--request", method, "--header", "Authorization: Bearer " + token]
        if let body {
            let text = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
            arguments += ["--header", "Content-Type: application/json", "--data-binary", text]
        }
        return try await curl("/api/v1/" + path, arguments)
    }

    /// Sends a file.
    func upload(_ method: String, _ path: String, _ file: String) async throws -> Answer {
        try await curl(
            "/api/v1/" + path,
            [
                "--request", method, "--header", "Authorization: Bearer " + token, "--header",
                "Content-Type: application/octet-stream", "--data-binary", "@" + file,
            ])
    }

    /// Connects it to the server of a world; gives the connection's id.
    func connect(_ world: World) async throws -> String {
        let pem = try String(contentsOfFile: world.trust, encoding: .utf8)
        let answer = try await api(
            "POST", "connections",
            ["connect": world.tls, "user": "root.cafenet", "password": "pass", "trust": ["pem": pem]])
        guard answer.status == 201, let id = answer["id"] as? String else { throw Unexpected("\(answer)") }
        return id
    }

    /// Waits for the end of a job.
    func end(_ job: Answer) async throws -> [String: Any] {
        guard job.status == 202, let id = job["id"] as? String else { throw Unexpected("\(job)") }
        return try await eventually("job \(id) ends", seconds: 60) {
            let now = try await api("GET", "jobs/\(id)")
            return now["state"] as? String == "ended" ? now.json as? [String: Any] : nil
        }
    }

    /// Ends it.
    func stop() async throws {
        program.signal(SIGINT)
        let result = try await program.end(seconds: 20)
        guard result.status == 0 || result.status == 1 else { throw Unexpected("\(result)") }
    }
}
