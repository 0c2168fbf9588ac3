public import ArgumentParser
import CommandLineTool
import Glibc
import TerminalUI

/// `iostart`: starts applications at boot, again when they end, and installs their updates.
public struct IOStart: AsyncParsableCommand {
    /// Name, help and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "iostart",
        abstract: "Starts applications at boot, again when they end, and installs their updates.",
        subcommands: [
            StarterRun.self, StarterReload.self, StarterRestart.self, StarterInstall.self, StarterStatus.self,
        ],
        defaultSubcommand: StarterRun.self)

    /// For the argument parser.
    public init() {}

    /// Stays above the program, with ``start()`` in a process below, when the command line asks for that. The first thing that
    /// a process does.
    public static func respawn() {
        let arguments = CommandLine.arguments
        guard arguments.contains("--respawn"), arguments.count > 1, arguments[1] == "run" || arguments[1].hasPrefix("-")
        else { return }
        let rest = arguments.dropFirst(arguments[1] == "run" ? 2 : 1).filter { $0 != "--respawn" }
        Respawn.run(arguments: [arguments[0], "run"] + rest)
    }

    /// Runs the command line of this process and ends it: 0 done, 1 failed, 2 wrong usage, 3 no starter runs, 4 no
    /// such package, 5 not installed.
    public static func start() async -> Never {
        do {
            try await runCommandLine()
            exit(withError: nil)
        } catch let failure as StarterFailure {
            Terminal.write("iostart: \(DisplayText.clean(failure.description))\n", to: STDERR_FILENO)
            Glibc.exit(failure.status)
        } catch {
            end(error)
        }
    }
}

/// Why a command did not do what it should.
struct StarterFailure: Error, CustomStringConvertible {
    let status: Int32
    let description: String
}
