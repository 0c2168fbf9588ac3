import Glibc
import TerminalUI

/// Questions at the terminal before something is done that is hard to take back.
enum Confirmation {
    /// True when the answer begins with y. False without a terminal: a script says `--yes`.
    static func isAgreed(_ question: String) -> Bool {
        guard let answer = ask(question + " [y/N] ") else { return false }
        return answer.lowercased().hasPrefix("y")
    }

    /// True when the answer is exactly `name`.
    static func isNamed(_ name: String, _ warning: String) -> Bool {
        ask("\(warning)\nType \(name) to go on: ") == name
    }

    private static func ask(_ question: String) -> String? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        Terminal.write(DisplayText.clean(question), to: STDERR_FILENO)
        return readLine(strippingNewline: true).map { answer in answer.filter { $0 != " " } }
    }
}
