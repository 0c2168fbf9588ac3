import Foundation

/// Where things are.
enum Place {
    /// The package.
    static let root = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined()

    /// The folder of the built programs, beside the test bundle that runs.
    static let programs: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return bundle.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }()

    /// The independent peer: IOCOM_PEER, or the folder beside the checkout. Nil when it is not there.
    static let peer: String? = {
        let folder = ProcessInfo.processInfo.environment["IOCOM_PEER"] ?? root + "/../shared/peer"
        return FileManager.default.fileExists(atPath: folder + "/iocom_peer/__main__.py") ? folder : nil
    }()

    /// All sizes and numbers that were asked for, instead of those that fit a short run.
    static let isFull = ProcessInfo.processInfo.environment["IOCOM_FULL"] == "1"

    /// The Python of scripts/setup, with esptool.
    static let python = root + "/.build-tools/venv/bin/python"

    /// Prints a result that belongs into a document, at once.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data(("end to end: " + text + "\n").utf8))
    }
}

/// Something that did not happen as it had to, with what the programs said.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Looks again and again until `check` gives something; throws with `what` after `seconds`.
@discardableResult
func eventually<Value>(
    _ what: @autoclosure () -> String, seconds: Double = 60, _ check: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + .milliseconds(Int64(seconds * 1000))
    while true {
        if let value = try await check() { return value }
        guard ContinuousClock.now < end else { throw Unexpected("not within \(seconds) s: " + what()) }
        try await Task.sleep(for: .milliseconds(20))
    }
}
