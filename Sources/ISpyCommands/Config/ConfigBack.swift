import ArgumentParser
import IOCOM
import IOOperator
import TerminalUI

/// `ispy config back DEVICE`
struct ConfigBack: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "back", abstract: "Makes a device go back to the last good configuration before this one.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Option(help: ArgumentHelp("Longest time for the restart and the trial.", valueName: "seconds"))
    var within = 300

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = device.path
        try await connection.withOperator(waitingFor: path) { access in
            let outcome = try await ConfigurationEditor(access, of: path).goBack(seconds: Double(within))
            try ConfigReport.finish(outcome, path, [], connection)
        }
    }
}
