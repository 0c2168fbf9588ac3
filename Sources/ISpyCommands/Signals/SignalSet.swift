import ArgumentParser
import IOCOM
import IOOperator
import TerminalUI

/// `ispy set DEVICE SIGNAL VALUE`
struct SignalSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Sets a signal of a device.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Argument(help: "Name of the signal.")
    var signal: String

    @Argument(help: "Value: 12, 1.5, true, text, or [1,2,3] for an array.")
    var value: String

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withOperator(waitingFor: device.path) { access in
            try await access.set(signal, to: value, of: device.path)
        }
        if connection.json {
            Output.json(
                .object([
                    ("device", .string(device.path.description)), ("signal", .string(signal)),
                    ("value", .string(value)),
                ]))
        } else {
            connection.note("\(signal) of \(device.path) set to \(value)")
        }
    }
}
