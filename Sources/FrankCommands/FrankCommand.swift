public import ArgumentParser
import CommandLineTool

/// `frank`: the IO server.
public struct FrankCommand: AsyncParsableCommand {
    /// Name and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "frank", abstract: "The IO server: devices and operators meet here.",
        subcommands: [
            ServerInit.self, ServerRun.self, AccountsCommand.self, CertificatesCommand.self, ServerHistoryShow.self,
        ])

    /// For the argument parser.
    public init() {}

    /// Runs the command line of this process and ends it: 0 done, 1 failed, 2 wrong usage.
    public static func start() async -> Never {
        do {
            try await runCommandLine()
            exit(withError: nil)
        } catch {
            end(error)
        }
    }
}
