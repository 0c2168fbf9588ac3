import Glibc
import TerminalUI

/// How a command ends when it did not do its work.
enum FailureReport {
    /// Says why and ends the process. `isUsage` is nil for help and version, which are no failures.
    static func end(_ error: any Error, fullMessage: String, isUsage: Bool?) -> Never {
        switch isUsage {
        case nil:
            Terminal.write(fullMessage + "\n", to: STDOUT_FILENO)
            exit(TerminalUI.ExitCode.done.rawValue)
        case true?:
            Terminal.write(fullMessage + "\n", to: STDERR_FILENO)
            exit(TerminalUI.ExitCode.usage.rawValue)
        case false?:
            Terminal.write("frank: \(DisplayText.clean(String(describing: error)))\n", to: STDERR_FILENO)
            exit(TerminalUI.ExitCode.failed.rawValue)
        }
    }
}
