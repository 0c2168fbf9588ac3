public import DeviceStorage
import Synchronization

/// One thing a flash chip does at a time.
public enum FlashOperation: Sendable, Equatable {
    /// Erases the sector at an offset.
    case erase(Int)
    /// Programs bytes within one page.
    case program(Int, [UInt8])

    /// First byte that is touched.
    public var offset: Int {
        switch self {
        case .erase(let offset), .program(let offset, _): offset
        }
    }
}

/// A flash in memory that shows every operation before it does it, so that a test can try what a loss of power at that
/// moment leaves behind, or let the operation fail.
///
/// Writes are split into page programs as the chip's driver does it.
public final class ObservedFlash: FlashDevice {
    /// Called before each operation with what the flash holds. An error makes the operation fail without effect.
    public typealias Observer = @Sendable (FlashOperation, NORFlash) throws(FlashError) -> Void

    private let flash: NORFlash
    private let pageSize: Int
    private let observer = Mutex<Observer?>(nil)

    /// Observes `flash`; `pageSize` is what one program operation writes at most.
    public init(_ flash: NORFlash, pageSize: Int = 256) {
        self.flash = flash
        self.pageSize = max(1, pageSize)
    }

    /// Sets who is told; nil for nobody.
    public func observe(_ observer: Observer?) { self.observer.withLock { $0 = observer } }

    /// Number of bytes.
    public var size: Int { flash.size }

    /// Reads.
    public func read(at offset: Int, count: Int) throws(FlashError) -> [UInt8] {
        try flash.read(at: offset, count: count)
    }

    /// Programs page by page.
    public func write(at offset: Int, _ bytes: [UInt8]) throws(FlashError) {
        var done = 0
        while done < bytes.count {
            let room = pageSize - (offset + done) % pageSize
            let part = Array(bytes[done..<min(bytes.count, done + room)])
            try observer.withLock({ $0 })?(.program(offset + done, part), flash)
            try flash.write(at: offset + done, part)
            done += part.count
        }
    }

    /// Erases.
    public func eraseSector(at offset: Int) throws(FlashError) {
        try observer.withLock({ $0 })?(.erase(offset), flash)
        try flash.eraseSector(at: offset)
    }

    /// Nothing to do: an operation is complete when it returns.
    public func sync() throws(FlashError) { try flash.sync() }
}

/// When the power goes in relation to an operation, and what a torn one leaves.
public enum PowerCut: String, Sendable, CaseIterable {
    /// Nothing was done.
    case before
    /// The first part was done, the word at the tear has some of its bits.
    case tornAt
    /// Every bit that had to change has changed or not, all over the page or sector.
    case scattered
    /// All was done.
    case after

    /// A new flash in memory as this cut of `operation` on `flash` leaves it.
    public func remains(
        of operation: FlashOperation, on flash: NORFlash, random: inout SeededGenerator
    ) throws(FlashError) -> NORFlash {
        var contents = try flash.read(at: 0, count: flash.size)
        let offset = operation.offset
        let target: [UInt8]
        switch operation {
        case .erase: target = [UInt8](repeating: 0xFF, count: NORFlash.sectorSize)
        case .program(_, let bytes): target = zip(bytes, contents[offset...]).map { $0 & $1 }
        }
        var masks = [UInt8](repeating: 0, count: target.count)
        switch self {
        case .before: break
        case .after: masks = [UInt8](repeating: 0xFF, count: target.count)
        case .scattered: masks = random.bytes(target.count)
        case .tornAt:
            let tear = Int.random(in: 0..<target.count, using: &random)
            let word = random.bytes(4)
            for index in 0..<min(target.count, tear + 4) { masks[index] = index < tear ? 0xFF : word[index - tear] }
        }
        contents.withUnsafeMutableBufferPointer { memory in
            for (index, mask) in masks.enumerated() {
                memory[offset + index] = memory[offset + index] & ~mask | target[index] & mask
            }
        }
        return try NORFlash(contents: contents)
    }
}
