import ByteTools
import Synchronization

/// The rules of a NOR flash chip over an image in memory or in a file.
///
/// What a chip does not do this does not either: a write never sets a bit, and only a whole sector of 4096 bytes can be
/// erased (GD25Q32 data sheet and its kin, the chips on ESP32 modules).
public final class NORFlash: FlashDevice {
    /// Bytes erased at once.
    public static let sectorSize = 4096
    /// Largest image: what the 24-bit addresses of these chips reach.
    public static let largestSize = 16 << 20

    /// Number of bytes.
    public let size: Int
    private let image: Mutex<Image>

    private struct Image {
        var memory: [UInt8] = []
        var file: File?
        var counts = OperationCounts()
    }

    /// How often the chip was told to do something.
    public struct OperationCounts: Sendable, Equatable {
        /// Sector erases.
        public var erases = 0
        /// Writes.
        public var writes = 0
        /// Bytes written.
        public var bytesWritten = 0
    }

    /// A flash in memory, erased.
    public convenience init(size: Int) throws(FlashError) {
        try Self.check(size)
        try self.init(contents: [UInt8](repeating: 0xFF, count: size))
    }

    /// A flash in memory with the given contents.
    public init(contents: [UInt8]) throws(FlashError) {
        try Self.check(contents.count)
        size = contents.count
        image = Mutex(Image(memory: contents))
    }

    /// A flash in a file. A file that does not exist is made and filled with ones; an existing one must have exactly
    /// `size` bytes. One process has it at a time.
    public init(file path: String, size: Int) throws(FlashError) {
        try Self.check(size)
        do throws(StorageFailure) {
            let file = try File.locked(path) { file throws(StorageFailure) in
                try file.fill(with: 0xFF, count: size)
            }
            let found = try file.byteCount
            guard found == size else {
                throw StorageFailure("\(path) has \(found) bytes; a flash image of this hardware has \(size)")
            }
            image = Mutex(Image(file: file))
        } catch {
            throw .device(error)
        }
        self.size = size
    }

    private static func check(_ size: Int) throws(FlashError) {
        guard size > 0, size <= largestSize else { throw .outOfRange(offset: 0, count: size, size: largestSize) }
        guard size % sectorSize == 0 else { throw .unaligned(offset: size) }
    }

    /// What was done since the start.
    public var counts: OperationCounts { image.withLock { $0.counts } }

    /// Reads; an erased byte is 0xFF.
    public func read(at offset: Int, count: Int) throws(FlashError) -> [UInt8] {
        try check(offset, count)
        return try image.withLock { image throws(FlashError) in
            guard let file = image.file else { return Array(image.memory[offset..<offset + count]) }
            do throws(StorageFailure) {
                return try file.read(at: offset, count: count)
            } catch {
                throw .device(error)
            }
        }
    }

    /// Clears bits.
    public func write(at offset: Int, _ bytes: [UInt8]) throws(FlashError) {
        try check(offset, bytes.count)
        try image.withLock { image throws(FlashError) in
            image.counts.writes += 1
            image.counts.bytesWritten += bytes.count
            if let file = image.file {
                do throws(StorageFailure) {
                    var merged = try file.read(at: offset, count: bytes.count)
                    clearBits(of: &merged, at: 0, bytes)
                    try file.write(at: offset, merged)
                } catch {
                    throw .device(error)
                }
            } else {
                clearBits(of: &image.memory, at: offset, bytes)
            }
        }
    }

    /// Sets all bits of a sector.
    public func eraseSector(at offset: Int) throws(FlashError) {
        try check(offset, Self.sectorSize)
        guard offset % Self.sectorSize == 0 else { throw .unaligned(offset: offset) }
        let ones = [UInt8](repeating: 0xFF, count: Self.sectorSize)
        try image.withLock { image throws(FlashError) in
            image.counts.erases += 1
            if let file = image.file {
                do throws(StorageFailure) {
                    try file.write(at: offset, ones)
                } catch {
                    throw .device(error)
                }
            } else {
                image.memory.replaceSubrange(offset..<offset + Self.sectorSize, with: ones)
            }
        }
    }

    /// Brings a file to the disk.
    public func sync() throws(FlashError) {
        guard let file = image.withLock({ $0.file }) else { return }
        do { try file.sync() } catch { throw .device(error) }
    }

    private func check(_ offset: Int, _ count: Int) throws(FlashError) {
        guard offset >= 0, count >= 0, count <= size, offset <= size - count else {
            throw .outOfRange(offset: offset, count: count, size: size)
        }
    }
}

/// ANDs `bytes` into `memory`; the caller has checked the range.
private func clearBits(of memory: inout [UInt8], at offset: Int, _ bytes: [UInt8]) {
    memory.withUnsafeMutableBytes { target in
        bytes.withUnsafeBytes { source in
            var i = 0
            while source.count - i >= 8 {
                let word = target.loadUnaligned(fromByteOffset: offset + i, as: UInt64.self)
                target.storeBytes(
                    of: word & source.loadUnaligned(fromByteOffset: i, as: UInt64.self),
                    toByteOffset: offset + i, as: UInt64.self)
                i += 8
            }
            while i < source.count {
                target[offset + i] &= source[i]
                i += 1
            }
        }
    }
}
