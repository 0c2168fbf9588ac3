public import FirmwareStorage
import Machine

/// A piece of a flash of two 16-bit chips side by side that understand the Intel command set (JEDEC JESD68 and JEP137B,
/// command set 0001h; Intel StrataFlash data sheets). Nothing may be executed from the flash meanwhile.
public struct CFIFlash: FlashArea {
    /// Commands, for both chips at once.
    private enum Command {
        static var readArray: UInt32 { 0x00FF_00FF }
        static var query: UInt32 { 0x0098_0098 }
        static var clearStatus: UInt32 { 0x0050_0050 }
        static var unlock: UInt32 { 0x0060_0060 }
        static var erase: UInt32 { 0x0020_0020 }
        static var bufferedProgram: UInt32 { 0x00E8_00E8 }
        static var confirm: UInt32 { 0x00D0_00D0 }
    }

    /// Status register: ready; what may have gone wrong (erase, program, voltage, locked).
    private static var ready: UInt32 { 0x0080_0080 }
    private static var errors: UInt32 { 0x003A_003A }
    /// Bytes that go into the write buffers of both chips together: half of what they hold.
    private static var bufferSize: Int { 1024 }
    /// Ticks of the clock of 10 MHz after which a chip is taken for dead.
    private static var patience: UInt64 { 50_000_000 }

    private let base: UInt
    private let unitSize: Int
    /// Number of bytes.
    public let size: Int

    /// `size` bytes from the address `base`, both multiples of `unitSize`, the bytes that are erased together.
    public init(base: UInt, size: Int, unitSize: Int) {
        self.base = base
        self.size = size
        self.unitSize = unitSize
    }

    /// Makes the chips show their contents, and tells whether there are such chips.
    public static func isThere(at base: UInt) -> Bool {
        machine_store32(base, Command.readArray)
        machine_store32(base + 0x55 * 4, Command.query)
        let isThere =
            machine_load32(base + 0x10 * 4) == 0x0051_0051 && machine_load32(base + 0x11 * 4) == 0x0052_0052
            && machine_load32(base + 0x12 * 4) == 0x0059_0059 && machine_load32(base + 0x13 * 4) == 0x0001_0001
        machine_store32(base, Command.readArray)
        return isThere
    }

    /// Both chips take 16 bits at a time.
    public var writeSize: Int { 4 }

    /// All units have one size.
    public func unit(at offset: Int) -> FlashUnit { FlashUnit(start: offset & ~(unitSize - 1), size: unitSize) }

    /// Copies bytes out.
    public func read(at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        try check(offset, out.count)
        guard let source = UnsafeRawPointer(bitPattern: base + UInt(offset)), out.count > 0 else { return }
        machine_barrier()
        out.copyMemory(from: UnsafeRawBufferPointer(start: source, count: out.count))
        machine_barrier()
    }

    /// Writes bytes and looks whether they are there.
    public mutating func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        try check(offset, bytes.count)
        guard offset % writeSize == 0, bytes.count % writeSize == 0 else { throw .alignment }
        // The chips would clear bits of what is there; that must never be asked of them.
        guard try isErased(offset, count: bytes.count) else { throw .notErased }
        var done = 0
        while done < bytes.count {
            let start = offset + done
            let room = Self.bufferSize - start % Self.bufferSize
            let part = min(room, bytes.count - done)
            try program(start, UnsafeRawBufferPointer(rebasing: bytes[done..<(done + part)]))
            done += part
        }
        for at in stride(from: 0, to: bytes.count, by: 4)
        where machine_load32(base + UInt(offset + at)) != bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self) {
            throw .notErased
        }
    }

    private func program(_ offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        let place = base + UInt(offset)
        let words = UInt32(truncatingIfNeeded: bytes.count / 4) - 1
        unlock(place)
        defer { machine_store32(base, Command.readArray) }
        machine_store32(place, Command.bufferedProgram)
        try wait(at: place)
        machine_store32(place, words << 16 | words)
        for at in stride(from: 0, to: bytes.count, by: 4) {
            machine_store32(place + UInt(at), bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
        }
        machine_store32(place, Command.confirm)
        try finish(at: place)
    }

    /// Erases the unit with `offset` in it.
    public mutating func erase(unitAt offset: Int) throws(FlashFault) {
        try check(offset, 1)
        let place = base + UInt(unit(at: offset).start)
        unlock(place)
        defer { machine_store32(base, Command.readArray) }
        machine_store32(place, Command.erase)
        machine_store32(place, Command.confirm)
        try finish(at: place)
    }

    /// Blocks are locked when the chips have power; the lock is taken off for each operation.
    private func unlock(_ place: UInt) {
        machine_store32(place, Command.clearStatus)
        machine_store32(place, Command.unlock)
        machine_store32(place, Command.confirm)
    }

    /// Waits until both chips are ready.
    private func wait(at place: UInt) throws(FlashFault) {
        let start = machine_time()
        while machine_load32(place) & Self.ready != Self.ready {
            guard machine_time() - start < Self.patience else { throw .hardware(0) }
        }
    }

    private func finish(at place: UInt) throws(FlashFault) {
        try wait(at: place)
        let status = machine_load32(place)
        machine_store32(place, Command.clearStatus)
        guard status & Self.errors == 0 else { throw .hardware(status) }
    }
}
