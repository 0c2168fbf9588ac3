import Access
import ArgumentParser
import ByteTools
import Glibc
import IOCOM
import IOOperator
import TerminalUI

/// `ispy block read DEVICE NUMBER FILE`
struct BlockRead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Reads a persistent block of a device into a file.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Argument(help: ArgumentHelp("Block number, 1 to 255.", valueName: "number"))
    var number: Int

    @Argument(help: ArgumentHelp("File to write; replaced when it exists.", valueName: "file"))
    var file: String

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if number < 1 || number > 255 { throw ValidationError("block numbers are 1 to 255") }
        if Rights.reading(block: number) == nil {
            throw ValidationError("block \(number) holds a secret: it is never read over the network")
        }
    }

    func run() async throws {
        try await connection.withOperator(waitingFor: device.path) { access in
            let temporary: ReplacementFile
            do { temporary = try ReplacementFile(file) } catch { throw Failure(.failed, String(describing: error)) }
            let progress = ProgressPrinter(connection, totalBytes: nil)
            let device = device.path
            let number = number
            let result: TransferResult
            do {
                result = try await Interrupt.cancelling {
                    try await access.read(
                        block: number, of: device, append: { try temporary.append($0) },
                        progress: { progress.update("reading", $0) })
                } ended: {
                    await progress.finish()
                }
            } catch {
                temporary.abort()
                throw error
            }
            if result.failure == nil {
                do { try temporary.commit() } catch { throw Failure(.failed, String(describing: error)) }
            } else {
                temporary.abort()
            }
            BlockReport.print(result, device, number, "read", connection)
            if let failure = result.failure { throw Failure(failure) }
        }
    }
}

/// How a transfer of a block is reported.
enum BlockReport {
    static func print(
        _ result: TransferResult, _ device: DevicePath, _ number: Int, _ verb: String, _ connection: ConnectionOptions
    ) {
        if connection.json {
            return Output.json(
                .object([
                    ("device", .string(device.description)), ("block", .number(number)),
                    ("bytes", .number(result.bytes)),
                    ("seconds", .number(result.seconds)), ("code", .number(result.status.map { Int($0.rawValue) })),
                    ("reason", .string(result.failure?.description)),
                ]))
        }
        if result.failure == nil {
            let rate = result.seconds > 0 ? ", " + Readable.rate(Double(result.bytes) / result.seconds) : ""
            connection.note("block \(number) of \(device) \(verb): \(Readable.bytes(result.bytes))\(rate)")
        }
    }
}
