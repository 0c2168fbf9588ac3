import ArgumentParser
import IOCOM
import IOOperator
import NetworkConfiguration
import PackedJSON
import TerminalUI

/// `ispy config show DEVICE`
struct ConfigShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows the network configuration of a device; passwords are hidden.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Flag(help: "Show what is built in (block 3) instead of what is stored.")
    var defaults = false

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = device.path
        let (stored, status) = try await connection.withOperator(waitingFor: path) { access in
            let status = try await access.device(path).configuration
            return (try await ConfigurationEditor(access, of: path).read(), status)
        }
        let document = (defaults ? stored.defaults : stored.own)?.withoutSecrets
        if connection.json {
            return Output.json(
                .object([
                    ("device", .string(path.description)), ("state", .string(status?.state.name)),
                    ("reason", .string(status?.error)), ("source", .string(defaults ? "defaults" : "stored")),
                    ("configuration", document.map { .json($0) } ?? .null),
                ]))
        }
        if let document {
            for line in document.prettyText.split(separator: "\n") { Output.line(String(line)) }
        } else {
            connection.note("\(path) has no configuration of its own: what is built in counts (--defaults shows it)")
        }
        if let status {
            connection.note("state: \(status.state.text)\(status.error.map { ": \($0)" } ?? "")")
        }
    }
}

extension JSONText {
    /// A document as a part of a result.
    static func json(_ json: JSON) -> JSONText {
        switch json {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .number(value)
        case .number(let value): .number(value)
        case .string(let text): .string(text)
        case .array(let elements): .array(elements.map { .json($0) })
        case .object(let members): .object(members.map { ($0.name, .json($0.value)) })
        }
    }
}
