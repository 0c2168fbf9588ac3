public import ByteTools
import Synchronization

/// An application that is a unit of systemd. Blocking.
public final class SystemdControl: ApplicationControl {
    private static let tool = "/usr/bin/systemctl"
    /// Longer than systemd lets a unit take to stop, ms.
    private static let stopTime = 120_000

    private let unit: String
    /// How it ended before it was started again: systemd forgets that.
    private let reason = Mutex<String?>(nil)

    /// True when systemd started this machine (sd_booted(3)).
    public static var isRunning: Bool { Folder.entry("/run/systemd/system") == .folder }

    /// The unit of that name.
    public init(unit: String) { self.unit = unit }

    /// Starts it anew. Does not wait: while the machine starts, units wait for the installer, which calls this.
    public func restart() throws(StorageFailure) {
        reason.withLock { $0 = nil }
        try run("reset-failed", mayFail: true)
        try run("--no-block", "restart")
    }

    /// Stops it.
    public func stop() throws(StorageFailure) { try run("stop") }

    /// The name of the unit.
    public var summary: String { unit }

    /// systemd counts the restarts that were its own since the last one that somebody asked for.
    public func crashes() -> Crashes? {
        guard
            let result = try? Subprocess.run(
                Self.tool,
                [
                    "show", "--property=NRestarts,ActiveState,Result,ExecMainCode,ExecMainStatus", unit,
                ], outputLimit: 4096, milliseconds: Self.stopTime)
        else { return nil }
        return reason.withLock { Self.crashes(in: String(decoding: result.output, as: UTF8.self), reason: &$0) }
    }

    /// Reads what systemd says; `reason` is what is remembered of the calls before.
    static func crashes(in text: String, reason: inout String?) -> Crashes? {
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let sign = line.firstIndex(of: "=") else { continue }
            values[line[..<sign]] = line[line.index(after: sign)...]
        }
        let hasFailed = values["ActiveState"] == "failed"
        let count = (values["NRestarts"].flatMap { Int($0) } ?? 0) + (hasFailed ? 1 : 0)
        guard count > 0 else { return nil }
        // CLD_EXITED is 1 (waitid(2)); while it runs again nothing is known of the end before.
        let status = values["ExecMainStatus"] ?? "0"
        switch values["ExecMainCode"] ?? "" {
        case "1": reason = "it ended with status \(status)"
        case "2", "3": reason = "signal \(status) ended it"
        default: break
        }
        return Crashes(
            count: count, reason: reason ?? "systemd started it \(count) times again", isFinal: hasFailed)
    }

    private func run(_ words: String..., mayFail: Bool = false) throws(StorageFailure) {
        let result = try Subprocess.run(
            Self.tool, words + [unit], outputLimit: 1 << 16, milliseconds: Self.stopTime)
        guard result.status == 0 || mayFail else {
            let said = String(decoding: result.errors.suffix(400).filter { $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
            throw StorageFailure("systemctl \(words.joined(separator: " ")) \(unit): \(said)")
        }
    }
}
