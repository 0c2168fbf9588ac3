public import ArgumentParser
import CommandLineTool
import Glibc
import TerminalUI

/// `frank`: the IO server.
public struct FrankCommand: AsyncParsableCommand {
    /// Name and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "frank", abstract: "The IO server: devices and operators meet here.",
        subcommands: [
            ServerInit.self, ServerRun.self, StatusCommand.self, AccountsCommand.self, CertificatesCommand.self,
            ServerHistoryShow.self,
        ])

    /// For the argument parser.
    public init() {}

    /// Runs the command line of this process and ends it: 0 done, 1 failed, 2 wrong usage, 3 no server runs.
    public static func start() async -> Never {
        do {
            try await runCommandLine()
            exit(withError: nil)
        } catch let error as NoServer {
            Terminal.write("frank: \(DisplayText.clean(error.description))\n", to: STDERR_FILENO)
            Glibc.exit(TerminalUI.ExitCode.noConnection.rawValue)
        } catch {
            end(error)
        }
    }
}
