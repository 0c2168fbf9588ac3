import ArgumentParser
import IOCOM
import IOOperator
import TerminalUI

/// `ispy reboot DEVICE`
struct Reboot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reboot", abstract: "Restarts a device and waits until it is back.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @OptionGroup var restart: RebootOptions
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = device.path
        try await connection.withOperator(waitingFor: path) { access in
            let editor = ConfigurationEditor(access, of: path)
            guard try await access.device(path).configuration?.state == .saved else {
                try await editor.restart(seconds: Double(restart.within))
                connection.note("\(path) restarted and is back")
                return RestartReport.print(path, "restarted", connection)
            }
            connection.note("\(path) restarts with a new configuration")
            let name = ConfigurationEditor.ExpectedName(try await editor.read(), now: path)
            let outcome = try await editor.putInForce(name, seconds: Double(restart.within))
            try ConfigReport.finish(outcome, path, [], connection)
        }
    }
}

/// How long a restart may take.
struct RebootOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Longest time until the device is back.", valueName: "seconds"))
    var within = 300

    func validate() throws {
        if within < 1 || within > 86_400 { throw ValidationError("--within takes 1 to 86400 seconds") }
    }
}

/// `ispy forget DEVICE`
struct Forget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Makes a device forget its secret and the certificates it trusts.",
        discussion: "For its server it is a new device then, which has to be let in again.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await RestartReport.lose(
            device.path, "forget_it", "\(device.path) will forget its secret: its server has to let it in again.",
            "forgot its secret; let it in again at its server", yes, connection)
    }
}

/// `ispy factory-reset DEVICE`
struct FactoryReset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "factory-reset",
        abstract: "Makes a device forget everything but its program: configuration, secret, certificates, its data.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await RestartReport.lose(
            device.path, "factory_rst",
            "\(device.path) will forget its configuration, its secret and its data. Only the program stays.",
            "was reset; it comes back with what is built in, and its server has to let it in again", yes, connection)
    }
}

/// What restarting commands share.
enum RestartReport {
    static func print(_ device: DevicePath, _ result: String, _ connection: ConnectionOptions) {
        guard connection.json else { return }
        Output.json(.object([("device", .string(device.description)), ("result", .string(result))]))
    }

    /// A command after which the device may not come back under its name.
    static func lose(
        _ device: DevicePath, _ command: String, _ warning: String, _ done: String, _ agreed: Bool,
        _ connection: ConnectionOptions
    ) async throws {
        if !agreed, !Confirmation.isNamed(device.description, warning) {
            throw Failure(.failed, "nothing was done to \(device); type its name, or give --yes")
        }
        try await connection.withOperator(waitingFor: device) { access in
            try await ConfigurationEditor(access, of: device).tellToRestart(command)
        }
        connection.note("\(device) \(done)")
        print(device, "told", connection)
    }
}
