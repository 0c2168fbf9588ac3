import ArgumentParser
import IOCOM
import IOOperator
import TerminalUI

/// `ispy memory DEVICE`
struct MemoryShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory", abstract: "Shows the memory blocks of a device, byte by byte with --block.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Option(help: ArgumentHelp("Print the bytes of this block.", valueName: "name"))
    var block: String?

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let blocks = try await connection.withOperator(waitingFor: device.path) { access in
            try await access.takeAllBlocks(of: device.path)
            return try await access.memory(of: device.path)
        }
        if let block {
            guard let found = blocks.first(where: { $0.name == block }) else {
                throw Failure(
                    .notFound,
                    "\(device.path) has no block \(block); it has \(blocks.map(\.name).joined(separator: ", "))")
            }
            return dump(found)
        }
        if connection.json {
            return Output.json(
                .lines(
                    blocks.map { block in
                        .object([
                            ("name", .string(block.name)), ("id", .number(block.id)), ("size", .number(block.size)),
                            ("flags", .string(block.flagNames)),
                        ])
                    }))
        }
        var table = Table(["block", .init("id", alignment: .right), .init("bytes", alignment: .right), "flags"])
        for block in blocks { table.add([block.name, "\(block.id)", "\(block.size)", block.flagNames]) }
        Output.table(table)
    }

    private func dump(_ block: BlockReading) {
        let bytes = block.content ?? []
        if connection.json {
            return Output.json(
                .object([("name", .string(block.name)), ("bytes", .array(bytes.map { .number(Int($0)) }))]))
        }
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let row = bytes[start..<min(start + 16, bytes.count)]
            let hex = row.map { Self.hex(UInt($0), 2) }.joined(separator: " ")
            let text = String(decoding: row.map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x2E }, as: UTF8.self)
            Output.line(
                "\(Self.hex(UInt(start), 6))  \(hex)\(String(repeating: "   ", count: 16 - row.count))  \(text)")
        }
    }

    private static func hex(_ value: UInt, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
