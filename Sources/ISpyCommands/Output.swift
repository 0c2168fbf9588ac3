import Glibc
import TerminalUI

/// Results go to standard output, everything else to standard error.
enum Output {
    static func line(_ text: String) { Terminal.write(text + "\n", to: STDOUT_FILENO) }

    static func json(_ value: JSONText) { line(value.text) }

    static func table(_ table: Table) {
        Terminal.write(table.draw(width: Terminal.width(STDOUT_FILENO)), to: STDOUT_FILENO)
    }
}
