import ByteTools
import GRDB
import Glibc
import HistoryEntries
import Synchronization
import Testing

@testable import ServerHistory

/// A folder for one test, and what histories in it reported.
final class Fixture: Sendable {
    let folder: String
    private let heard = Mutex<[String]>([])

    init() throws {
        var template = Array("/tmp/history-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        for name in (try? Folder.names(in: folder, limit: 1000).names) ?? [] {
            if (try? Folder.remove(name, in: folder)) == nil { rmdir("\(folder)/\(name)") }
        }
        rmdir(folder)
    }

    var path: String { folder + "/history.sqlite" }
    var problems: [String] { heard.withLock { $0 } }
    var names: [String] { (try? Folder.names(in: folder, limit: 1000).names) ?? [] }

    func open(_ settings: HistorySettings = HistorySettings()) -> History {
        History(folder: folder, settings: settings) { [weak self] text in self?.heard.withLock { $0.append(text) } }
    }

    func mode(_ name: String) -> mode_t? {
        var status = stat()
        return lstat("\(folder)/\(name)", &status) == 0 ? status.st_mode & 0o777 : nil
    }

    /// What SQLite says of the closed file.
    func integrity() throws -> String? {
        try DatabaseQueue(path: path).read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
    }
}

/// Waits until `check` is true, at most ten seconds.
func eventually(_ check: @Sendable () -> Bool) async -> Bool {
    for _ in 0..<1000 {
        if check() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}

/// Entries for tests; each looks like one of another user.
func entry(_ kind: HistoryKind = .login, _ number: Int, at time: Int64? = nil) -> HistoryEntry {
    HistoryEntry(kind, at: time ?? Int64(number) * 1000) {
        $0.network = number.isMultiple(of: 2) ? "cafenet" : "asteroidnet"
        $0.user = "user\(number).net"
        $0.address = "10.0.\(number / 250 % 250).\(number % 250)"
    }
}
