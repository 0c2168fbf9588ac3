import Access
import ArgumentParser
import ByteTools
import Glibc
import IOCOM
import IOOperator
import TerminalUI

/// `ispy block write DEVICE NUMBER FILE`
struct BlockWrite: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write", abstract: "Writes a file into a persistent block of a device.",
        discussion: "Block 1 is the program: 'ispy program write' checks a package first and follows the restart.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Argument(help: ArgumentHelp("Block number, 1 to 127.", valueName: "number"))
    var number: Int

    @Argument(help: ArgumentHelp("File to send.", valueName: "file"))
    var file: String

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if number < 1 || number > 127 { throw ValidationError("block numbers that can be written are 1 to 127") }
        if Rights.writing(block: number) == nil {
            throw ValidationError("block \(number) holds a secret: it is never written over the network")
        }
    }

    func run() async throws {
        let source: File
        let size: Int
        do throws(StorageFailure) {
            source = try File(file, .read)
            size = try source.byteCount
        } catch {
            throw Failure(error.isNoSuchFile ? .notFound : .failed, "\(file): \(error)")
        }
        try await connection.withOperator(waitingFor: device.path) { access in
            let progress = ProgressPrinter(connection, totalBytes: UInt64(size))
            let device = device.path
            let number = number
            let result = try await Interrupt.cancelling {
                try await access.write(source, to: number, of: device) { progress.update("writing", $0) }
            } ended: {
                await progress.finish()
            }
            BlockReport.print(result, device, number, "written", connection)
            if let failure = result.failure { throw Failure(failure) }
        }
    }
}
