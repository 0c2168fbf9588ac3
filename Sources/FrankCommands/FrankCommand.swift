public import ArgumentParser
import CommandLineTool

/// `frank`: the IO server.
public struct FrankCommand: AsyncParsableCommand {
    /// Name and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "frank", abstract: "The IO server: devices and operators meet here.",
        subcommands: [ServerInit.self, ServerRun.self, AccountsCommand.self, CertificatesCommand.self])

    /// For the argument parser.
    public init() {}

    /// Runs the command line of this process and ends it: 0 done, 1 failed, 2 wrong usage.
    public static func start() async -> Never {
        do {
            try await runCommandLine()
            exit(withError: nil)
        } catch {
            FailureReport.end(error, fullMessage: fullMessage(for: error), isUsage: isUsage(error))
        }
    }

    /// The parser's own errors are wrong usage; help that was asked for is none.
    private static func isUsage(_ error: any Error) -> Bool? {
        switch exitCode(for: error) {
        case .success: nil
        case .validationFailure: true
        default: false
        }
    }
}
