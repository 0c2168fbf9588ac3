/// An erase unit of a flash area: a sector, a page.
public struct FlashUnit: Equatable, Sendable {
    /// Offset of its first byte in the area.
    public let start: Int
    /// Bytes.
    public let size: Int

    /// A unit.
    public init(start: Int, size: Int) {
        self.start = start
        self.size = size
    }

    /// Offset behind its last byte.
    public var end: Int { start + size }
}

/// Why a flash operation failed.
public enum FlashFault: Error, Equatable, Sendable {
    /// The bytes are not inside the area.
    case range
    /// A place that is no multiple of what the flash can do.
    case alignment
    /// The place was not erased, or the flash does not hold what was written.
    case notErased
    /// The controller reports an error; the number is its status register.
    case hardware(UInt32)
}

/// A piece of flash that belongs to one purpose: a slot, a bank, the area of the persistent blocks.
///
/// Erasing makes every byte of a unit 0xFF; writing happens at places that were erased and not written since. Used through
/// generics, so that firmware needs no existentials.
public protocol FlashArea {
    /// Number of bytes.
    var size: Int { get }
    /// Writes start at, and have a length that is, a multiple of it; 1, 4, 8 or 16.
    var writeSize: Int { get }
    /// The erase unit that contains the byte at `offset`, which is inside the area.
    func unit(at offset: Int) -> FlashUnit
    /// Fills `out` with the bytes from `offset`.
    func read(at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault)
    /// Writes bytes and returns when they are in the flash.
    mutating func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault)
    /// Erases the unit that contains `offset`.
    mutating func erase(unitAt offset: Int) throws(FlashFault)
}

extension FlashArea {
    /// Throws unless `count` bytes from `offset` are inside.
    public func check(_ offset: Int, _ count: Int) throws(FlashFault) {
        guard offset >= 0, count >= 0, count <= size, offset <= size - count else { throw .range }
    }

    /// True when every byte from `offset` on is 0xFF.
    public func isErased(_ offset: Int, count: Int) throws(FlashFault) -> Bool {
        try check(offset, count)
        var at = offset
        var buffer = InlineArray<64, UInt8>(repeating: 0)
        while at < offset + count {
            let part = min(64, offset + count - at)
            try read(at: at, into: &buffer, count: part)
            for i in 0..<part where buffer[i] != 0xFF { return false }
            at += part
        }
        return true
    }

    /// Erases every unit that holds one of the first `count` bytes.
    public mutating func erase(first count: Int) throws(FlashFault) {
        try check(0, count)
        var at = 0
        while at < count {
            let unit = unit(at: at)
            try erase(unitAt: unit.start)
            at = unit.end
        }
    }
}
