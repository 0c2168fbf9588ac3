import ArgumentParser
import ByteTools
import Glibc
import LinuxUpdates
import TerminalUI

/// `iostart run`
struct StarterRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Starts everything and installs updates until SIGTERM or SIGINT.",
        discussion: """
            Each *.json of the configuration folders is one application; see the README, "Several programs on one \
            machine". With systemd, applications that have a unit are started by it, all others from here.
            """)

    @Option(
        help: ArgumentHelp(
            "Folder with one file for each application; may be repeated, later ones count more.", valueName: "folder"))
    var config: [String] = []

    @Option(help: ArgumentHelp("Folder for packages to go back to.", valueName: "folder"))
    var state = "/var/lib/iocom/installer"

    @Option(help: ArgumentHelp("Where applications find the installer.", valueName: "path"))
    var socket = InstallerClient.standardPath

    @Option(help: ArgumentHelp("Install into this folder instead of the machine.", valueName: "folder"))
    var root: String?

    // What it asks for is done before the command line is parsed (IOStart.respawn).
    @Flag(help: "Stay above the program itself and start it again when it dies, for machines without systemd.")
    var respawn = false

    func run() async throws {
        let stopSignals = StopSignals()
        let report: @Sendable (String) -> Void = {
            Terminal.write("iostart: \(DisplayText.clean($0))\n", to: STDERR_FILENO)
        }
        let folders = config.isEmpty ? ApplicationSettings.standardFolders : config
        let (path, root) = (socket, root)
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Folder.make(String(path[..<slash]))
        }
        // What was interrupted is finished or undone before anything is started.
        let service = try InstallerService(
            folder: state, path: path, dpkg: Dpkg(root: root), report: report,
            settings: { try ApplicationSettings.load(folders, problem: report) },
            control: { Self.control($0, socket: path, report: report) })
        ServiceNotice.ready()
        service.start()
        _ = await stopSignals.first()
        service.stop()
    }

    /// systemd starts what has a unit; everything else is started here.
    private static func control(
        _ settings: ApplicationSettings, socket: String, report: @escaping @Sendable (String) -> Void
    ) -> any ApplicationControl {
        if let unit = settings.unit, SystemdControl.isRunning { return SystemdControl(unit: unit) }
        guard let program = settings.program else {
            report("\(settings.package) has no program to start")
            return ControlGroup([])
        }
        return ControlGroup(
            settings.instances.map {
                Supervisor(settings, $0, program: program, socket: socket, report: report)
            })
    }
}
