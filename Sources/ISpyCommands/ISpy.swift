public import ArgumentParser
import CommandLineTool

/// `ispy`: sees devices, updates their programs, moves blocks, reads and sets signals.
public struct ISpy: AsyncParsableCommand {
    /// Name, help and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "ispy",
        abstract: "Shows IO devices behind an IOCOM server and updates their programs.",
        discussion: """
            The server is given with --connect tls://HOST or with a saved --profile. The password comes from a prompt, from
            --password-file or from the environment variable ISPY_PASSWORD, never from the command line.

            Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no connection or refused login, 4 device or package not found,
            5 installation failed or rolled back, configuration refused or put back.
            """,
        subcommands: [
            DevicesList.self, Program.self, Package.self, Block.self, SignalsShow.self, SignalSet.self, MemoryShow.self,
            AccountsCommand.self, Certificates.self, Config.self, WiFi.self, Reboot.self, Forget.self,
            FactoryReset.self, HistoryShow.self, Profile.self, Web.self, Discover.self,
        ])

    /// Made by the argument parser.
    public init() {}

    /// Runs the command line of this process and ends it with the exit code of the mission.
    public static func start() async -> Never {
        do {
            try await runCommandLine()
            exit(withError: nil)
        } catch let failure as Failure {
            failure.report()
        } catch {
            Failure.report(error) { exit(withError: $0) }
        }
    }
}
