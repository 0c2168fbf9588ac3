/// A piece of a board's flash.
public struct FlashPlace: Equatable, Sendable {
    /// Offset of its first byte in the flash.
    public let offset: Int
    /// Number of bytes.
    public let size: Int

    /// A place.
    public init(offset: Int, size: Int) {
        self.offset = offset
        self.size = size
    }
}

/// What lies where in the flash of the RISC-V board (the second flash bank of QEMU's machine `virt`): the boot loader, the
/// programs and the tool that makes a flash for the first start read it here.
public enum VirtFlashLayout {
    /// Address of the flash.
    public static var address: UInt { 0x2200_0000 }
    /// Bytes of the flash, and of the file that the emulator wants for it.
    public static var size: Int { 32 << 20 }
    /// Bytes that are erased together: one erase block of each of the two chips that stand side by side.
    public static var unitSize: Int { 256 << 10 }
    /// Which program starts: two units.
    public static var records: FlashPlace { FlashPlace(offset: 0, size: 2 * unitSize) }
    /// Largest image.
    public static var slotSize: Int { 1 << 20 }
    /// Persistent blocks: four units.
    public static var blocks: FlashPlace { FlashPlace(offset: 3 << 20, size: 4 * unitSize) }

    /// The place of a program, 0 or 1.
    public static func slot(_ index: Int) -> FlashPlace {
        FlashPlace(offset: index == 0 ? 1 << 20 : 2 << 20, size: slotSize)
    }

    /// Address that programs are linked for: the boot loader copies them there.
    public static var loadAddress: UInt32 { 0x8020_0000 }
}
