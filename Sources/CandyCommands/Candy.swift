public import ArgumentParser
import CommandLineTool
import Glibc
import TerminalUI

/// The command `candy`: an emulated IO device that can be updated over the network.
public struct Candy: AsyncParsableCommand {
    /// Name and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "candy",
        abstract: "An IO device: an ESP32 class module around a flash image, or a Linux device, or a Windows one.",
        subcommands: [CandyRun.self, CandyFlash.self])

    /// Made by the parser.
    public init() {}

    /// Runs the command line of this process and returns its exit code (``ExitCode``).
    public static func start() async -> Int32 {
        do {
            try await runCommandLine()
            return ExitCode.done.rawValue
        } catch let error as CandyError {
            Terminal.write("candy: \(DisplayText.clean(error.description))\n", to: STDERR_FILENO)
            return error.code.rawValue
        } catch {
            let code = exitCode(for: error)
            let isHelp = code == .success
            Terminal.write(fullMessage(for: error) + "\n", to: isHelp ? STDOUT_FILENO : STDERR_FILENO)
            if isHelp { return ExitCode.done.rawValue }
            return code == .validationFailure ? ExitCode.usage.rawValue : ExitCode.failed.rawValue
        }
    }
}

typealias ExitCode = TerminalUI.ExitCode
