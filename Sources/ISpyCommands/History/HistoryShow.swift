import ArgumentParser
import CommandLineTool
import HistoryEntries
import IOCOM
import IOOperator

/// `ispy history [DEVICE]`
struct HistoryShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Shows what the server recorded: logins, refusals, changes of accounts and programs.",
        discussion:
            "Only administrators of a network can read its history. 'frank history' reads it at the server itself.")

    @Argument(help: ArgumentHelp("Entries about this device only, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument?

    @Option(help: ArgumentHelp("Network; default: that of the device, else of the login.", valueName: "network"))
    var network: String?

    @OptionGroup var history: HistoryOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if let network, NetworkName(network)?.isEmpty ?? true {
            throw ValidationError("'\(network)' is no name of a network")
        }
    }

    func run() async throws {
        let named = network.flatMap { NetworkName($0) } ?? device?.path.network
        let query = history.query(device: device?.path.description)
        let entries = try await connection.withOperator { access in
            let network: NetworkName
            if let named { network = named } else { network = try await access.network }
            return try await access.history(of: network, query)
        }
        HistoryReport.print(entries, json: connection.json)
    }
}
