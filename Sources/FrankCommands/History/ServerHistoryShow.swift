import ArgumentParser
import CommandLineTool
import HistoryEntries
import IOCOM
import ServerData
import ServerHistory

/// `frank history [DEVICE]`
struct ServerHistoryShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Shows what the server recorded, while it runs or is stopped.")

    @Argument(help: ArgumentHelp("Entries about this device only, like candy3.cafenet.", valueName: "device"))
    var device: String?

    @Option(help: "Entries of this network only; default: all, and those about the server itself.")
    var network: String?

    @OptionGroup var history: HistoryOptions
    @OptionGroup var data: DataFolderOption
    @Flag(help: "Print as JSON.") var json = false

    func validate() throws {
        if let device, DevicePath(device) == nil {
            throw ValidationError("'\(device)' is no device: write its name, number and network, like candy3.cafenet")
        }
    }

    func run() throws {
        let folder = try ServerFolder.open(at: try data.folder())
        do throws(HistoryError) {
            let stored = try StoredHistory(folder: folder.path)
            HistoryReport.print(try stored.entries(history.query(network: network, device: device)), json: json)
        } catch {
            throw HistoryReadingError(description: "the history in \(folder.path) can't be read: \(error)")
        }
    }
}

/// The history in a data folder can't be read.
private struct HistoryReadingError: Error, CustomStringConvertible {
    let description: String
}
