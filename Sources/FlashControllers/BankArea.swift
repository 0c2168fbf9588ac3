public import FirmwareStorage

/// A piece of one bank, or the same piece of both, as a flash area.
///
/// A piece of both banks begins with the one in bank 0. Banks are the physical ones: the area stays where it is when the
/// banks are exchanged.
public struct BankArea<Controller: FlashController>: FlashArea {
    private let controller: Controller
    private let firstBank: Int
    private let pieces: Int
    private let start: Int
    private let pieceSize: Int
    private let isGrouped: Bool

    /// `length` bytes of `bank` from `start` on, both at the border of sectors.
    public init(_ controller: Controller, bank: Int, start: Int, length: Int) {
        self.controller = controller
        firstBank = bank
        pieces = 1
        self.start = start
        pieceSize = length
        isGrouped = false
    }

    /// `length` bytes of each bank from `start` on. `grouped` makes one erase unit of all sectors of a piece: a larger one
    /// for what needs room, at the price of more work for each erase.
    public init(bothBanksOf controller: Controller, start: Int, length: Int, grouped: Bool = false) {
        self.controller = controller
        firstBank = 0
        pieces = controller.bankCount
        self.start = start
        pieceSize = length
        isGrouped = grouped
    }

    /// Number of bytes.
    public var size: Int { pieces * pieceSize }
    /// Bytes that are programmed at once.
    public var writeSize: Int { controller.writeSize }

    /// The sector, or the whole piece.
    public func unit(at offset: Int) -> FlashUnit {
        let base = offset / pieceSize * pieceSize
        if isGrouped { return FlashUnit(start: base, size: pieceSize) }
        let sector = controller.sector(at: start + offset - base)
        // Of a sector that is longer than the piece the rest is erased as well, and not used.
        let first = sector.start - start
        return FlashUnit(start: base + first, size: min(sector.size, pieceSize - first))
    }

    /// Reads; the bytes may lie in both pieces.
    public func read(at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        try check(offset, out.count)
        var done = 0
        while done < out.count {
            let place = offset + done
            let part = min(out.count - done, pieceSize - place % pieceSize)
            try controller.read(
                bank: firstBank + place / pieceSize, at: start + place % pieceSize,
                into: UnsafeMutableRawBufferPointer(rebasing: out[done..<(done + part)]))
            done += part
        }
    }

    /// Programs; the bytes may lie in both pieces.
    public mutating func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        try check(offset, bytes.count)
        var done = 0
        while done < bytes.count {
            let place = offset + done
            let part = min(bytes.count - done, pieceSize - place % pieceSize)
            try controller.program(
                bank: firstBank + place / pieceSize, at: start + place % pieceSize,
                UnsafeRawBufferPointer(rebasing: bytes[done..<(done + part)]))
            done += part
        }
    }

    /// Erases the unit that contains `offset`; of a group the first sector goes first, so that what its head says is gone
    /// before anything else is.
    public mutating func erase(unitAt offset: Int) throws(FlashFault) {
        try check(offset, 1)
        let bank = firstBank + offset / pieceSize
        guard isGrouped else {
            try controller.erase(bank: bank, sectorAt: start + offset % pieceSize)
            return
        }
        var at = start
        while at < start + pieceSize {
            try controller.erase(bank: bank, sectorAt: at)
            at = controller.sector(at: at).end
        }
    }
}

extension BankArea: Sendable where Controller: Sendable {}
