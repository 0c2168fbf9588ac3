public import FirmwareStorage
import Machine

/// Memory that behaves like flash, or flash that can only be read.
///
/// The emulator of the board has no flash controller, so what a program writes goes to the upper half of the RAM: it is there
/// after a restart, and gone without power. On the real board these areas would be sectors of the flash, written by the
/// driver of the controller.
public struct MappedArea: FlashArea {
    private let base: UInt
    private let unitSize: Int
    private let isWritable: Bool
    /// Number of bytes.
    public let size: Int

    init(base: UInt, size: Int, unitSize: Int, isWritable: Bool) {
        self.base = base
        self.size = size
        self.unitSize = unitSize
        self.isWritable = isWritable
    }

    /// A word.
    public var writeSize: Int { 4 }

    /// All units have one size.
    public func unit(at offset: Int) -> FlashUnit { FlashUnit(start: offset / unitSize * unitSize, size: unitSize) }

    /// Copies bytes out.
    public func read(at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        try check(offset, out.count)
        guard let source = UnsafeRawPointer(bitPattern: base + UInt(offset)), out.count > 0 else { return }
        out.copyMemory(from: UnsafeRawBufferPointer(start: source, count: out.count))
    }

    /// Writes to a place that was erased.
    public mutating func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        try check(offset, bytes.count)
        guard isWritable else { throw .hardware(0) }
        guard offset % writeSize == 0, bytes.count % writeSize == 0 else { throw .alignment }
        guard try isErased(offset, count: bytes.count) else { throw .notErased }
        guard let to = UnsafeMutableRawPointer(bitPattern: base + UInt(offset)), bytes.count > 0 else { return }
        UnsafeMutableRawBufferPointer(start: to, count: bytes.count).copyMemory(from: bytes)
        machine_barrier()
    }

    /// Makes all bytes of a unit 0xFF.
    public mutating func erase(unitAt offset: Int) throws(FlashFault) {
        try check(offset, 1)
        guard isWritable else { throw .hardware(0) }
        let unit = unit(at: offset)
        for at in stride(from: unit.start, to: unit.end, by: 4) { machine_store32(base + UInt(at), 0xFFFF_FFFF) }
    }
}
