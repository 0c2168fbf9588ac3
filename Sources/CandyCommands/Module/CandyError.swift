import TerminalUI

/// Why candy does not do what was asked, for people, and how the program ends.
struct CandyError: Error, CustomStringConvertible {
    let code: ExitCode
    let description: String

    init(_ code: ExitCode, _ description: String) {
        self.code = code
        self.description = description
    }
}
