public import FirmwareStorage

/// A flash controller with one or two banks. Banks are counted 0 and 1 and are the physical ones, wherever they appear in
/// memory; places are offsets in a bank.
public protocol FlashController {
    /// Banks, 1 or 2.
    var bankCount: Int { get }
    /// Bytes of a bank.
    var bankSize: Int { get }
    /// Bytes that are programmed at once.
    var writeSize: Int { get }
    /// The erase unit that contains a place.
    func sector(at offset: Int) -> FlashUnit
    /// Fills `out` with what a bank holds.
    func read(bank: Int, at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault)
    /// Programs bytes, reads them back and returns when they are in the flash. The place has to be erased.
    func program(bank: Int, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault)
    /// Erases the sector that contains a place.
    func erase(bank: Int, sectorAt offset: Int) throws(FlashFault)
}

/// A controller whose option bytes say which bank starts.
public protocol DualBankController: FlashController {
    /// The bank that was started: it appears at the beginning of the flash's addresses.
    var runningBank: Int { get }
    /// The bank that the option bytes select.
    var selectedBank: Int { get }
    /// Writes the option bytes so that `bank` is started after the next reset. All other options stay as they are.
    func select(bank: Int) throws(FlashFault)
    /// Resets the machine; the option bytes are loaded. Returns only in a model.
    func restart()
}

extension FlashController {
    /// Throws unless `count` bytes from `offset` are inside of a bank.
    func check(_ bank: Int, _ offset: Int, _ count: Int) throws(FlashFault) {
        guard bank >= 0, bank < bankCount, offset >= 0, count >= 0, count <= bankSize, offset <= bankSize - count else {
            throw .range
        }
    }

    /// Throws unless a bank holds `bytes`.
    func verify(_ bank: Int, _ offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        var at = 0
        var buffer = InlineArray<64, UInt8>(repeating: 0)
        while at < bytes.count {
            let part = min(64, bytes.count - at)
            var span = buffer.mutableSpan
            try span.withUnsafeMutableBytes { out throws(FlashFault) in
                try read(bank: bank, at: offset + at, into: UnsafeMutableRawBufferPointer(rebasing: out[..<part]))
            }
            for i in 0..<part where buffer[i] != bytes[at + i] { throw .notErased }
            at += part
        }
    }
}
