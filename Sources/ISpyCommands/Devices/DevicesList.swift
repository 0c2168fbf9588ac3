import ArgumentParser
import IOOperator
import TerminalUI

/// `ispy devices`
struct DevicesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists the devices that are there.")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let devices = try await connection.withOperator { try await $0.devices() }
        if connection.json {
            return Output.json(
                .lines(
                    devices.map { device in
                        .object([
                            ("path", .string(device.path)), ("application", .string(device.application)),
                            ("version", .string(device.version)), ("hardware", .string(device.hardware)),
                            ("state", .string(device.state)), ("since", .string(device.startedAt)),
                        ])
                    }))
        }
        guard !devices.isEmpty else { return connection.note("no device is there") }
        var table = Table([.init("path", keepsWhole: true), "application", "version", "hardware", "state", "since"])
        for device in devices {
            table.add([
                device.path, device.application, device.version ?? "-", device.hardware ?? "-", device.state,
                device.startedAt ?? "-",
            ])
        }
        Output.table(table)
    }
}
