import Glibc
import TerminalUI

/// Results go to standard output, everything else to standard error.
enum Output {
    /// Texts of devices must not control a terminal.
    static func line(_ text: String) { Terminal.write(DisplayText.clean(text) + "\n", to: STDOUT_FILENO) }

    static func json(_ value: JSONText) { Terminal.write(value.text + "\n", to: STDOUT_FILENO) }

    static func table(_ table: Table) {
        Terminal.write(table.draw(width: Terminal.width(STDOUT_FILENO)), to: STDOUT_FILENO)
    }
}
