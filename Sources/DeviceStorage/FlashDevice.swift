public import ByteTools

/// Why a flash operation failed.
public enum FlashError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes are not inside the flash.
    case outOfRange(offset: Int, count: Int, size: Int)
    /// An erase that does not start at a sector.
    case unaligned(offset: Int)
    /// The medium itself failed.
    case device(StorageFailure)

    /// The reason for people.
    public var description: String {
        switch self {
        case .outOfRange(let offset, let count, let size):
            "\(count) bytes at \(hexadecimal(offset)) are outside of the flash area of \(size) bytes"
        case .unaligned(let offset): "\(hexadecimal(offset)) is not the start of a flash sector"
        case .device(let failure): "the flash failed: \(failure)"
        }
    }
}

/// A NOR flash: erased to ones sector by sector, written by clearing bits.
///
/// A test wraps a device to count the operations and to cut the power at any of them. Calls may come from any thread, one
/// at a time or not.
public protocol FlashDevice: AnyObject, Sendable {
    /// Number of bytes, a multiple of `NORFlash.sectorSize`.
    var size: Int { get }
    /// `count` bytes from `offset`.
    func read(at offset: Int, count: Int) throws(FlashError) -> [UInt8]
    /// Clears at `offset` every bit that is zero in `bytes`; the other bits stay.
    func write(at offset: Int, _ bytes: [UInt8]) throws(FlashError)
    /// Sets all bits of the sector that starts at `offset`.
    func eraseSector(at offset: Int) throws(FlashError)
    /// Returns when everything written is safe from a loss of power. A chip has nothing to do here; a file has.
    func sync() throws(FlashError)
}

/// A window into a flash: a partition, a slot.
public struct FlashRegion: Sendable, ByteSource {
    /// The flash behind the window.
    public let device: any FlashDevice
    /// First byte of the window in the flash.
    public let offset: Int
    /// Bytes in the window.
    public let size: Int

    /// A window of `size` bytes from `offset`, both multiples of the sector size and inside the flash.
    public init(_ device: any FlashDevice, offset: Int, size: Int) throws(FlashError) {
        guard offset >= 0, size >= 0, size <= device.size, offset <= device.size - size else {
            throw .outOfRange(offset: offset, count: size, size: device.size)
        }
        guard offset % NORFlash.sectorSize == 0 else { throw .unaligned(offset: offset) }
        guard size % NORFlash.sectorSize == 0 else { throw .unaligned(offset: offset + size) }
        self.device = device
        self.offset = offset
        self.size = size
    }

    /// Number of sectors.
    public var sectorCount: Int { size / NORFlash.sectorSize }

    /// Number of bytes.
    public var byteCount: Int { size }

    /// Reads inside the window.
    public func bytes(at place: Int, count: Int) throws(FlashError) -> [UInt8] {
        try check(place, count)
        return try device.read(at: offset + place, count: count)
    }

    /// Reads inside the window.
    public func read(at place: Int, count: Int) throws(StorageFailure) -> [UInt8] {
        do { return try bytes(at: place, count: count) } catch { throw StorageFailure(error.description) }
    }

    /// Clears bits inside the window.
    public func write(at place: Int, _ bytes: [UInt8]) throws(FlashError) {
        try check(place, bytes.count)
        try device.write(at: offset + place, bytes)
    }

    /// Erases the sector that starts at `place` of the window.
    public func eraseSector(at place: Int) throws(FlashError) {
        try check(place, NORFlash.sectorSize)
        try device.eraseSector(at: offset + place)
    }

    private func check(_ place: Int, _ count: Int) throws(FlashError) {
        guard place >= 0, count >= 0, count <= size, place <= size - count else {
            throw .outOfRange(offset: place, count: count, size: size)
        }
    }
}
