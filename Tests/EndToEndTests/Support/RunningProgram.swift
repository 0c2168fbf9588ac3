import Foundation
import Synchronization

/// A program that runs; what it says goes to two files. It is killed when the last reference goes.
final class RunningProgram: Sendable {
    private struct Ending {
        var status: Int32?
    }

    /// Its name, for messages.
    let name: String
    /// Its process.
    let id: pid_t
    private let outputFile: String
    private let errorFile: String
    private let ending = Mutex(Ending())

    /// Starts `path`. `environment` adds to PATH and HOME, nothing else is handed on.
    init(_ path: String, _ arguments: [String], environment: [String: String] = [:], folder: String) throws {
        name = path.split(separator: "/").last.map(String.init) ?? path
        let base = folder + "/" + name + "-" + UUID().uuidString.prefix(8)
        outputFile = base + ".out"
        errorFile = base + ".err"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 1, outputFile, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorFile, flags, 0o600)

        // The test process may block or ignore signals that a program started from a shell gets.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let outside = ProcessInfo.processInfo.environment
        var values = ["PATH": outside["PATH"] ?? "/usr/bin:/bin", "HOME": folder, "LC_ALL": "C.UTF-8"]
        values.merge(environment) { $1 }
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var settings: [UnsafeMutablePointer<CChar>?] = values.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, path, &actions, &attributes, &words, &settings)
        guard code == 0 else { throw Unexpected("can't start \(path): \(String(cString: strerror(code)))") }
        id = child
    }

    deinit {
        guard status == nil else { return }
        Glibc.kill(id, SIGKILL)
        var value: Int32 = 0
        waitpid(id, &value, 0)
    }

    /// Exit status once it has ended; 128 + signal when a signal ended it.
    var status: Int32? {
        ending.withLock { ending in
            if let status = ending.status { return status }
            var value: Int32 = 0
            guard waitpid(id, &value, WNOHANG) == id else { return nil }
            ending.status = value & 0x7F == 0 ? value >> 8 & 0xFF : 128 + value & 0x7F
            return ending.status
        }
    }

    /// What it wrote to standard output so far.
    var output: String { Self.text(outputFile) }
    /// What it wrote to standard error so far.
    var errors: String { Self.text(errorFile) }
    /// Both, for messages.
    var report: String { "\(name):\n\(output)\(errors)" }

    /// Largest resident memory so far, KiB; nil once it has ended.
    var peakMemory: Int? {
        let text = Self.text("/proc/\(id)/status")
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    /// Waits for the `count`-th line, of output or errors, that contains `text`, and gives it.
    @discardableResult
    func line(_ text: String, count: Int = 1, seconds: Double = 60) async throws -> String {
        try await eventually("'\(text)' (\(count) times) from \(report)", seconds: seconds) {
            let hasEnded = status != nil
            let found = (output + "\n" + errors).split(separator: "\n").filter { $0.contains(text) }
            if found.count >= count { return String(found[count - 1]) }
            if hasEnded { throw Unexpected("\(name) ended before it said '\(text)': \(report)") }
            return nil
        }
    }

    /// How often a line with `text` was written.
    func count(_ text: String) -> Int { (output + "\n" + errors).split(separator: "\n").count { $0.contains(text) } }

    /// Waits until it ends by itself.
    func end(seconds: Double = 300) async throws -> Finished {
        let status = try await eventually("the end of \(report)", seconds: seconds) { self.status }
        return Finished(name: name, status: status, output: output, errors: errors)
    }

    /// Sends a signal.
    func signal(_ number: Int32) {
        if status == nil { Glibc.kill(id, number) }
    }

    /// SIGTERM; the program must end with status 0 within a minute.
    func stop() async throws {
        signal(SIGTERM)
        let result = try await end(seconds: 60)
        guard result.status == 0 else { throw Unexpected("\(name) ended with \(result.status): \(report)") }
    }

    /// SIGKILL, as a power cut.
    func kill() async throws {
        signal(SIGKILL)
        _ = try await end(seconds: 60)
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}

/// A program that has ended.
struct Finished: Sendable, CustomStringConvertible {
    let name: String
    let status: Int32
    let output: String
    let errors: String

    var description: String { "\(name) ended with \(status):\n\(output)\(errors)" }

    /// Standard output as one JSON object.
    func object() throws -> [String: Any] {
        guard let value = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] else {
            throw Unexpected("no JSON object: \(self)")
        }
        return value
    }

    /// Standard output as a JSON array of objects.
    func array() throws -> [[String: Any]] {
        guard let value = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]] else {
            throw Unexpected("no JSON array: \(self)")
        }
        return value
    }
}
