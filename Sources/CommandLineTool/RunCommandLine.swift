public import ArgumentParser
import Glibc
import TerminalUI

extension AsyncParsableCommand {
    /// Reads the command line of this process and runs the command that it names. What goes wrong is thrown: each program
    /// has its own words and exit codes for that.
    public static func runCommandLine() async throws {
        var command = try parseAsRoot()
        if var command = command as? any AsyncParsableCommand {
            try await command.run()
        } else {
            try command.run()
        }
    }

    /// Says why a command did not do its work and ends this process: 2 for the parser's own errors, which are wrong usage, 1
    /// for any other; 0 for help and version, which are no failures.
    public static func end(_ error: any Error) -> Never {
        switch exitCode(for: error) {
        case .success:
            Terminal.write(fullMessage(for: error) + "\n", to: STDOUT_FILENO)
            Glibc.exit(TerminalUI.ExitCode.done.rawValue)
        case .validationFailure:
            Terminal.write(fullMessage(for: error) + "\n", to: STDERR_FILENO)
            Glibc.exit(TerminalUI.ExitCode.usage.rawValue)
        default:
            let name = configuration.commandName ?? ""
            Terminal.write("\(name): \(DisplayText.clean(String(describing: error)))\n", to: STDERR_FILENO)
            Glibc.exit(TerminalUI.ExitCode.failed.rawValue)
        }
    }
}
