import ByteTools
import Synchronization

/// The flash of a model in a file: all bytes of the flash, then a block of 4096 with the option bytes.
public final class ModelFile: Sendable {
    /// Why a file is not the flash of a part.
    public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The reason for people.
        public let description: String
    }

    private static let tail = 4096
    private static let magic = Array("STM32OPT".utf8)
    private let part: STM32Part
    private let file: File

    init(_ path: String, _ part: STM32Part) throws(Failure) {
        self.part = part
        do throws(StorageFailure) {
            file = try File.locked(path) { file throws(StorageFailure) in
                try file.fill(with: 0xFF, count: part.flashSize + Self.tail)
                try file.write(at: part.flashSize, Self.block(part.factoryOptions, part))
            }
            let size = try file.byteCount
            guard size == part.flashSize + Self.tail else {
                throw StorageFailure("\(path) has \(size) bytes; that of this part has \(part.flashSize + Self.tail)")
            }
        } catch { throw Failure(description: error.description) }
    }

    /// The option bytes, their complement, and the part.
    private static func block(_ options: UInt32, _ part: STM32Part) -> [UInt8] {
        magic
            + [options, ~options, part.deviceID].flatMap { word in
                (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
            }
    }

    func load() throws(Failure) -> FlashContents {
        do throws(StorageFailure) {
            var contents = FlashContents(part)
            contents.write(try file.read(at: 0, count: part.flashSize), at: 0)
            let block = try file.read(at: part.flashSize, count: 20)
            func word(_ at: Int) -> UInt32 { block[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
            guard !block.starts(with: Self.magic) || word(16) == part.deviceID else {
                throw StorageFailure("\(file.path) is the flash of another part")
            }
            // Option bytes that do not match their complement count as erased, as in the part.
            let isWhole = block.starts(with: Self.magic) && word(8) == ~word(12)
            contents.options = isWhole ? word(8) : part.erasedOptions
            return contents
        } catch { throw Failure(description: error.description) }
    }

    /// Writes what an operation changed. A disk that fails loses it, as worn flash does; whoever wrote reads it back.
    func note(_ operation: ControllerOperation, _ contents: FlashContents) {
        switch operation {
        case .erase(let unit): try? file.write(at: contents.start(of: unit), contents.units[unit])
        case .eraseBank(let bank):
            try? file.write(
                at: bank * part.bankSize, contents.bytes(at: bank * part.bankSize, count: part.bankSize))
        case .program(let offset, let bytes):
            try? file.write(at: offset, contents.bytes(at: offset, count: bytes.count))
        case .options(let new): try? file.write(at: part.flashSize, Self.block(new, part))
        }
    }

    /// Writes everything, the first unit last.
    func store(_ contents: FlashContents) throws(Failure) {
        do throws(StorageFailure) {
            for unit in contents.units.indices.reversed() {
                try file.write(at: contents.start(of: unit), contents.units[unit])
            }
            try file.write(at: part.flashSize, Self.block(contents.options, part))
            try file.sync()
        } catch { throw Failure(description: error.description) }
    }

    func sync() { try? file.sync() }
}
