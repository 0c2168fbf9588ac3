import ArgumentParser
import Glibc
import IOOperator
import TerminalUI

/// An error with the exit code it ends the program with.
struct Failure: Error {
    let code: TerminalUI.ExitCode
    let text: String

    init(_ code: TerminalUI.ExitCode, _ text: String) {
        self.code = code
        self.text = text
    }

    init(_ error: OperatorError) {
        let code: TerminalUI.ExitCode =
            switch error.kind {
            case .noConnection, .loginRefused: .noConnection
            case .deviceNotFound, .packageNotFound: .notFound
            case .refused: .notInstalled
            case .notSupported, .notAllowed, .busy, .failed, .cancelled: .failed
            }
        self.init(code, error.description)
    }

    /// Prints the reason and ends the program.
    func report() -> Never {
        Terminal.write("ispy: \(text)\n", to: STDERR_FILENO)
        exit(code.rawValue)
    }

    /// Ends the program for any error; `parserExit` handles the argument parser's own (help, wrong usage).
    static func report(_ error: any Error, parserExit: (any Error) -> Never) -> Never {
        switch error {
        case let error as OperatorError: Failure(error).report()
        case is CancellationError: Failure(.failed, "cancelled").report()
        default:
            let code = ISpy.exitCode(for: error)
            if code == .success { parserExit(error) }
            if code == .validationFailure {
                Terminal.write(ISpy.fullMessage(for: error) + "\n", to: STDERR_FILENO)
                exit(TerminalUI.ExitCode.usage.rawValue)
            }
            Failure(.failed, String(describing: error)).report()
        }
    }
}
