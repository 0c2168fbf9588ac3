import ArgumentParser
import IOCOM
import IOOperator
import NetworkConfiguration
import TerminalUI

/// `ispy wifi …`
struct WiFi: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wifi", abstract: "Sets the Wi-Fi network of a device.", subcommands: [WiFiSet.self])
}

/// `ispy wifi set DEVICE SSID`
struct WiFiSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Stores the name and password of a Wi-Fi network in a device.",
        discussion: """
            The password comes from a prompt, from --wifi-password-file or from ISPY_WIFI_PASSWORD. It counts after a \
            restart of the device.
            """)

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Argument(help: ArgumentHelp("Name of the Wi-Fi network.", valueName: "ssid"))
    var ssid: String

    @Option(help: ArgumentHelp("File with the Wi-Fi password.", valueName: "file"))
    var wifiPasswordFile: String?

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = device.path
        var settings = NodeSettings()
        settings.wifiNames[0] = ssid
        settings.wifiPasswords[0] = try readPassword()
        if let problem = settings.problems.first { throw Failure(.failed, "\(problem)") }
        let password = settings.wifiPasswords[0]
        let status = try await connection.withOperator(waitingFor: path) { access in
            let before = try await access.device(path).configuration
            try await access.command([("set_nc_wifi", ssid), ("set_nc_pass", password)], of: path)
            // A device of the original does not say whether it stored anything.
            guard before != nil else { return ConfigurationStatus?.none }
            return try await access.waitForDevice(path, seconds: 10) { summary in
                guard let now = summary?.configuration, now.state == .saved || now.error != before?.error else {
                    return nil
                }
                return now
            }
        }
        if let error = status?.error, status?.state != .saved { throw Failure(.failed, "\(path): \(error)") }
        if connection.json {
            Output.json(
                .object([
                    ("device", .string(path.description)), ("network", .string(ssid)),
                    ("state", .string(status?.state.name)),
                ]))
        } else if status?.state == .saved {
            connection.note("stored in \(path); it counts after a restart: 'ispy reboot \(path)'")
        } else {
            connection.note("\(path) was told; it did not say that anything changed")
        }
    }

    private func readPassword() throws -> String {
        do throws(PasswordError) {
            return try PasswordSource.chosen(
                file: wifiPasswordFile, variable: "ISPY_WIFI_PASSWORD",
                prompt: "Password of the Wi-Fi network \(ssid): "
            ).read().secret
        } catch { throw Failure(.failed, String(describing: error)) }
    }
}
