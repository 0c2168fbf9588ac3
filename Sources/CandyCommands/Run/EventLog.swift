import Glibc
import TerminalUI

/// What happens, one line each: text for people or JSON for programs.
struct EventLog: Sendable {
    private let isJSON: Bool
    private let write: @Sendable (String) -> Void

    /// A log to standard error.
    init(json: Bool) { self.init(json: json) { Terminal.write($0 + "\n", to: STDERR_FILENO) } }

    /// A log to anywhere.
    init(json: Bool, write: @escaping @Sendable (String) -> Void) {
        isJSON = json
        self.write = write
    }

    /// Says that `event` happened. `fields` are for programs; people read `text` and `notes`.
    func note(_ event: String, _ text: String, _ fields: [(String, JSONText)] = [], notes: [String] = []) {
        if isJSON {
            let lead: [(String, JSONText)] = [
                ("time", .string(Self.time)), ("event", .string(event)), ("text", .string(text)),
            ]
            write(JSONText.object(lead + fields).text)
        } else {
            for text in [text] + notes { write("\(Self.time) candy: \(DisplayText.clean(text))") }
        }
    }

    private static var time: String {
        var seconds = Glibc.time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
