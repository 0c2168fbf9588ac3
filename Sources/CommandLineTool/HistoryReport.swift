import Glibc
public import HistoryEntries
import TerminalUI

/// How entries of a history are shown.
public enum HistoryReport {
    /// Writes entries to standard output: a table for people, or a list of objects.
    public static func print(_ entries: [HistoryEntry], json: Bool) {
        if json {
            Terminal.write(JSONText.lines(entries.map(object)).text + "\n", to: STDOUT_FILENO)
        } else if entries.isEmpty {
            Terminal.write("nothing was recorded\n", to: STDERR_FILENO)
        } else {
            Terminal.write(table(entries).draw(width: Terminal.width(STDOUT_FILENO)), to: STDOUT_FILENO)
        }
    }

    /// Every member is there, with null for what is not known.
    static func object(_ entry: HistoryEntry) -> JSONText {
        .object([
            ("id", .number(entry.id)), ("time", .string(HistoryTime.iso(entry.time))),
            ("kind", .string(entry.kind.name)), ("network", .string(entry.network)), ("user", .string(entry.user)),
            ("address", .string(entry.address)), ("device", .string(entry.device)), ("block", .number(entry.block)),
            ("package", .string(entry.package)), ("version", .string(entry.version)), ("hash", .string(entry.hash)),
            ("bytes", .number(entry.bytes)), ("result", .string(entry.result)), ("seconds", .number(entry.seconds)),
            ("text", .string(entry.text)), ("count", .number(entry.count)),
            ("until", .string(entry.until.map(HistoryTime.iso))),
        ])
    }

    static func table(_ entries: [HistoryEntry]) -> Table {
        var table = Table([
            .init("time", keepsWhole: true), .init("kind", keepsWhole: true), "who", "from",
            .init("device", keepsWhole: true), "what", "result", "text",
        ])
        for entry in entries {
            table.add([
                HistoryTime.local(entry.time), entry.kind.name, entry.user ?? "-", entry.address ?? "-",
                entry.device ?? entry.network ?? "-", what(entry), entry.result ?? "-", text(entry),
            ])
        }
        return table
    }

    /// What was written.
    private static func what(_ entry: HistoryEntry) -> String {
        var parts: [String] = []
        if let package = entry.package { parts.append(package) }
        if let version = entry.version, entry.package == nil { parts.append(version) }
        if let block = entry.block { parts.append("block \(block)") }
        if let bytes = entry.bytes { parts.append(Readable.bytes(UInt64(max(0, bytes)))) }
        return parts.isEmpty ? "-" : parts.joined(separator: ", ")
    }

    private static func text(_ entry: HistoryEntry) -> String {
        var parts: [String] = []
        if entry.count > 1 {
            let until = entry.until.map { ", until \(HistoryTime.local($0))" } ?? ""
            parts.append("\(entry.count) times\(until)")
        }
        if let text = entry.text { parts.append(text) }
        if let seconds = entry.seconds {
            parts.append("after \(Readable.duration(.seconds(seconds)))")
        }
        return parts.joined(separator: "; ")
    }
}
