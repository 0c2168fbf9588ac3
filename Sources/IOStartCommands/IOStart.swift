public import ArgumentParser
import ByteTools
import Foundation
import Glibc
import LinuxUpdates
import TerminalUI

/// `iostart`: starts applications at boot, again when they end, and installs their updates.
public struct IOStart: AsyncParsableCommand {
    /// Name, help and options.
    public static let configuration = CommandConfiguration(
        commandName: "iostart",
        abstract: "Starts the applications of a configuration folder and installs their updates.",
        discussion: """
            Each *.json in the folder is one application: package, user, data, keys, proofSeconds, program, arguments. \
            Runs until SIGTERM or SIGINT, in the foreground.
            """)

    @Option(help: ArgumentHelp("Folder with one file for each application.", valueName: "folder"))
    var config = "/etc/iocom/applications"

    @Option(help: ArgumentHelp("Folder for packages to go back to.", valueName: "folder"))
    var state = "/var/lib/iocom/installer"

    @Option(help: ArgumentHelp("Where applications find the installer.", valueName: "path"))
    var socket = InstallerClient.standardPath

    @Option(help: ArgumentHelp("Install into this folder instead of the machine.", valueName: "folder"))
    var root: String?

    /// For the argument parser.
    public init() {}

    /// Runs the command line of this process and ends it: 0 done, 1 failed, 2 wrong usage.
    public static func start() async -> Never {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            exit(withError: nil)
        } catch let failure as StorageFailure {
            Terminal.write("iostart: \(failure)\n", to: STDERR_FILENO)
            Glibc.exit(1)
        } catch {
            let isUsage = exitCode(for: error) == .validationFailure
            if isUsage || exitCode(for: error) == .success { exit(withError: error) }
            Terminal.write("iostart: \(error)\n", to: STDERR_FILENO)
            Glibc.exit(1)
        }
    }

    /// Starts everything and waits for the end.
    public func run() async throws {
        let stopSignals = StopSignals()
        let report: @Sendable (String) -> Void = {
            Terminal.write("iostart: \(DisplayText.clean($0))\n", to: STDERR_FILENO)
        }
        let applications = try ApplicationSettings.load(config)
        guard !applications.isEmpty else { throw StorageFailure("\(config) names no application (*.json)") }
        var managed: [InstallerService.Managed] = []
        var supervisors: [(String, Supervisor)] = []
        for settings in applications {
            guard let supervisor = Supervisor(settings, report: report) else {
                throw StorageFailure("\(settings.package) names no program to start")
            }
            supervisors.append((settings.package, supervisor))
            managed.append(InstallerService.Managed(settings, control: supervisor))
        }
        if let slash = socket.lastIndex(of: "/"), slash != socket.startIndex {
            try Folder.make(String(socket[..<slash]))
        }
        // What was interrupted is finished or undone before anything is started.
        let service = try InstallerService(
            managed, folder: state, path: socket, dpkg: Dpkg(root: root), report: report)
        for (package, supervisor) in supervisors {
            supervisor.onCrash { service.crashed(package, times: $0, reason: $1) }
            supervisor.startUnlessRunning()
        }
        report("started \(applications.map(\.package).joined(separator: ", "))")
        Thread.detachNewThread { service.run() }
        _ = await stopSignals.first()
        service.stop()
        for (_, supervisor) in supervisors { supervisor.stop() }
    }
}
