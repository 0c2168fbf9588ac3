/// A part with flash on the chip, as its reference manual describes it. Written from the manual, not from the driver.
public enum STM32Part: Sendable, CaseIterable {
    /// STM32F405 and its kin, 1 MiB (RM0090 table 5).
    case f405
    /// STM32F42x and F43x, 2 MiB (RM0090 table 6).
    case f42x
    /// STM32L47x and L48x, 1 MiB (RM0351 table 9).
    case l47x

    /// Sizes of the erase units of one bank, in their order.
    public var unitSizes: [Int] {
        switch self {
        case .f405, .f42x: [16, 16, 16, 16, 64, 128, 128, 128, 128, 128, 128, 128].map { $0 << 10 }
        case .l47x: [Int](repeating: 2048, count: 256)
        }
    }
    /// Banks.
    public var bankCount: Int { self == .f405 ? 1 : 2 }
    /// Bytes of one bank.
    public var bankSize: Int { self == .l47x ? 512 << 10 : 1 << 20 }
    /// Bytes of flash.
    public var flashSize: Int { bankCount * bankSize }
    /// True when every double word has an error correcting code.
    public var hasECC: Bool { self == .l47x }
    /// The option register as the factory leaves it, without lock bits (RM0090 3.9.10, RM0351 3.7.8).
    public var factoryOptions: UInt32 { self == .l47x ? 0xFFEF_F8AA : 0x0FFF_AAEC }
    /// What the option register holds when the option bytes were erased and not written, or do not match their complement:
    /// all ones, read protection level 1 (RM0351 3.4.2, RM0090 3.7.3). Bank 2 is selected then.
    public var erasedOptions: UInt32 { self == .l47x ? 0xFFFF_F8FF : 0x0FFF_FFFC }
    /// DEV_ID of DBGMCU_IDCODE (RM0090 38.6.1, RM0351 48.6.1).
    public var deviceID: UInt32 {
        switch self {
        case .f405: 0x413
        case .f42x: 0x419
        case .l47x: 0x415
        }
    }
    /// Bit of the option register that selects bank 2; nil for a part with one.
    var bootBank2: UInt32? {
        switch self {
        case .f405: nil
        case .f42x: 1 << 4
        case .l47x: 1 << 20
        }
    }
    /// RAM that a stack pointer may be in, for the system boot loader.
    public var ram: Range<UInt32> {
        switch self {
        case .f405: 0x2000_0000..<0x2002_0000
        case .f42x: 0x2000_0000..<0x2003_0000
        case .l47x: 0x2000_0000..<0x2001_8000
        }
    }
}

/// What stays when the power goes: the flash cells and the option bytes.
public struct FlashContents: Sendable, Equatable {
    /// The part.
    public let part: STM32Part
    /// Bytes of each erase unit; those of bank 2 follow those of bank 1.
    public internal(set) var units: [[UInt8]]
    /// Double words (offset in the flash divided by 8) with a code that does not match.
    public internal(set) var damaged: Set<Int> = []
    /// Double words that read as erased and can't be programmed: they were programmed with all ones, or one bit is clear
    /// that the code corrects, as a cut may leave it.
    public internal(set) var spent: Set<Int> = []
    /// The option bytes as the option register shows them, without lock bits.
    public internal(set) var options: UInt32
    private let starts: [Int]

    /// A part from the factory.
    public init(_ part: STM32Part) {
        self.part = part
        let sizes = (0..<part.bankCount).flatMap { _ in part.unitSizes }
        units = sizes.map { [UInt8](repeating: 0xFF, count: $0) }
        var starts: [Int] = []
        var at = 0
        for size in sizes {
            starts.append(at)
            at += size
        }
        self.starts = starts
        options = part.factoryOptions
    }

    /// First byte of a unit.
    public func start(of unit: Int) -> Int { starts[unit] }

    /// The unit with the byte at `offset` of the flash, and the place in it.
    public func place(_ offset: Int) -> (unit: Int, offset: Int) {
        let bank = offset / part.bankSize
        let inside = offset % part.bankSize
        let perBank = units.count / part.bankCount
        let unit: Int
        switch part {
        case .l47x: unit = inside / 2048
        case .f405, .f42x: unit = inside < 0x10000 ? inside >> 14 : inside < 0x20000 ? 4 : 4 + inside >> 17
        }
        let index = bank * perBank + unit
        return (index, offset - starts[index])
    }

    /// Bytes as the cells hold them.
    public func bytes(at offset: Int, count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        var at = offset
        while at < offset + count {
            let (unit, inside) = place(at)
            let part = min(offset + count - at, units[unit].count - inside)
            result += units[unit][inside..<inside + part]
            at += part
        }
        return result
    }

    /// Puts bytes into erased flash as a programmer in production does.
    public mutating func write(_ bytes: [UInt8], at offset: Int) {
        var done = 0
        while done < bytes.count {
            let (unit, inside) = place(offset + done)
            let part = min(bytes.count - done, units[unit].count - inside)
            units[unit].replaceSubrange(inside..<inside + part, with: bytes[done..<done + part])
            done += part
        }
    }
}

/// One thing a flash controller does at a time.
public enum ControllerOperation: Sendable, Equatable {
    /// Erases a unit.
    case erase(unit: Int)
    /// Erases a bank.
    case eraseBank(Int)
    /// Programs bytes at an offset of the flash.
    case program(offset: Int, [UInt8])
    /// Erases and programs the option bytes; the number is the new register.
    case options(UInt32)
}

/// When the power goes in relation to an operation.
public enum OperationCut: String, Sendable, CaseIterable {
    /// Nothing was done.
    case before
    /// In its middle.
    case torn
    /// All was done.
    case after
}

extension FlashContents {
    /// Does an operation whole.
    mutating func perform(_ operation: ControllerOperation) {
        switch operation {
        case .erase(let unit): erase(unit)
        case .eraseBank(let bank):
            let perBank = units.count / part.bankCount
            for unit in bank * perBank..<(bank + 1) * perBank { erase(unit) }
        case .program(let offset, let bytes):
            let (unit, inside) = place(offset)
            for (index, byte) in bytes.enumerated() { units[unit][inside + index] &= byte }
            if part.hasECC {
                damaged.remove(offset / 8)
                if bytes.allSatisfy({ $0 == 0xFF }) { spent.insert(offset / 8) }
            }
        case .options(let new):
            // From level 1 to level 0: everything is erased first (RM0090 3.7.3, RM0351 3.5.1).
            if !isOpen(options) && isOpen(new) {
                for unit in units.indices { erase(unit) }
            }
            options = new
        }
    }

    private func isOpen(_ options: UInt32) -> Bool {
        part == .l47x ? options & 0xFF == 0xAA : options >> 8 & 0xFF == 0xAA
    }

    private mutating func erase(_ unit: Int) {
        units[unit] = [UInt8](repeating: 0xFF, count: units[unit].count)
        guard part.hasECC else { return }
        let words = starts[unit] / 8..<(starts[unit] + units[unit].count) / 8
        damaged = damaged.filter { !words.contains($0) }
        spent = spent.filter { !words.contains($0) }
    }

    /// The flash after the power went at `cut` of an operation.
    ///
    /// In the middle, every bit that had to change has changed or not; cells with a code then have codes that do not match
    /// or, as it happens, do, or that correct the one bit that is wrong, so that they read as erased. Option bytes are the
    /// old, the new, those of the factory, or those of an erased sector.
    public func remains(
        of operation: ControllerOperation, cut: OperationCut, random: inout some RandomNumberGenerator
    ) -> FlashContents {
        var result = self
        switch cut {
        case .before: return result
        case .after:
            result.perform(operation)
            return result
        case .torn: break
        }
        switch operation {
        case .erase(let unit): result.tear(unit, &random)
        case .eraseBank(let bank):
            let perBank = units.count / part.bankCount
            for unit in bank * perBank..<(bank + 1) * perBank { result.tear(unit, &random) }
        case .program(let offset, _) where part.hasECC && isBlank(offset) && Int.random(in: 0..<6, using: &random) == 0:
            result.spent.insert(offset / 8)
        case .program(let offset, let bytes):
            let (unit, inside) = place(offset)
            for (index, byte) in bytes.enumerated() {
                let old = units[unit][inside + index]
                result.units[unit][inside + index] = old & (byte | UInt8.random(in: 0...255, using: &random))
            }
            if part.hasECC, result.units[unit][inside..<inside + 8] != units[unit][inside..<inside + 8] {
                // Bytes that all arrived have, as it happens, the code that belongs to them.
                if Array(result.units[unit][inside..<inside + 8]) != bytes || Bool.random(using: &random) {
                    result.damaged.insert(offset / 8)
                }
            } else if part.hasECC, Bool.random(using: &random) {
                // Only bits of the code changed.
                result.damaged.insert(offset / 8)
            }
        case .options(let new):
            result.options =
                [options, new, part.factoryOptions, part.erasedOptions].randomElement(using: &random) ?? new
        }
        return result
    }

    /// True when a double word is as an erase leaves it.
    func isBlank(_ offset: Int) -> Bool {
        let (unit, inside) = place(offset)
        return units[unit][inside..<inside + 8].allSatisfy { $0 == 0xFF } && !damaged.contains(offset / 8)
            && !spent.contains(offset / 8)
    }

    private mutating func tear(_ unit: Int, _ random: inout some RandomNumberGenerator) {
        // One mask for each 64 bits: all set, or each bit set or not.
        let words = units[unit].count / 8
        let first = starts[unit] / 8
        let isECC = part.hasECC
        var damaged = self.damaged
        var spent = self.spent
        units[unit].withUnsafeMutableBytes { bytes in
            for word in 0..<words {
                let old = bytes.load(fromByteOffset: word * 8, as: UInt64.self)
                guard old != .max || isECC else { continue }
                let isAlmostErased = isECC && old != .max && random.next() % 8 == 0
                let new = isAlmostErased ? .max : old | random.next()
                if isAlmostErased {
                    spent.insert(first + word)
                    damaged.remove(first + word)
                }
                bytes.storeBytes(of: new, toByteOffset: word * 8, as: UInt64.self)
                if isECC, !isAlmostErased, new != old || damaged.contains(first + word) { damaged.insert(first + word) }
            }
        }
        self.damaged = damaged
        self.spent = spent
    }
}
