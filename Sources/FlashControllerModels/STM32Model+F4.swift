/// Registers of STM32F405 and F42x/F43x (RM0090 section 3).
extension STM32Model {
    private static let keys: [UInt32] = [0x4567_0123, 0xCDEF_89AB]
    private static let optionKeys: [UInt32] = [0x0819_2A3B, 0x4C5D_6E7F]
    private enum Flag {
        static let writeProtection: UInt32 = 1 << 4
        static let alignment: UInt32 = 1 << 5
        static let parallelism: UInt32 = 1 << 6
        static let sequence: UInt32 = 1 << 7
    }

    func readF4(_ address: UInt32, _ state: inout State) -> UInt32 {
        switch address {
        case 0x4002_3C00: return state.access
        case 0x4002_3C04, 0x4002_3C08: return 0
        case 0x4002_3C0C: return state.status | (state.busyUntil > state.microseconds ? 1 << 16 : 0)
        case 0x4002_3C10: return state.control
        case 0x4002_3C14: return state.options & ~3 | (state.isOptionLocked ? 1 : 0)
        case 0x4001_3800: return state.clocks & 1 << 14 != 0 && state.isSwapped ? 1 << 8 : 0
        case 0x4002_3844: return state.clocks
        default:
            state.counts.busErrors += 1
            return 0
        }
    }

    func writeF4(_ value: UInt32, _ address: UInt32, _ state: inout State) {
        switch address {
        case 0x4002_3C00: writeAccess(value, &state)
        case 0x4002_3C04: unlock(value, &state)
        case 0x4002_3C08: unlockOptions(value, &state)
        case 0x4002_3C0C: state.status &= ~(value & 0x1F3)
        case 0x4002_3C10: writeControlF4(value, &state)
        case 0x4002_3C14: writeOptionsF4(value, &state)
        case 0x4002_3844: state.clocks = value
        default: state.counts.busErrors += 1
        }
    }

    /// A wrong key, or a third one, locks the register until the next reset (RM0090 3.6.1).
    private func unlock(_ value: UInt32, _ state: inout State) {
        guard let count = state.keys, count < 2, value == Self.keys[count] else {
            state.keys = nil
            state.control |= 1 << 31
            return
        }
        state.keys = count + 1
        if count == 1 { state.control &= ~(1 << 31) }
    }

    private func unlockOptions(_ value: UInt32, _ state: inout State) {
        guard let count = state.optionKeys, count < 2, value == Self.optionKeys[count] else {
            state.optionKeys = nil
            state.isOptionLocked = true
            return
        }
        state.optionKeys = count + 1
        if count == 1 { state.isOptionLocked = false }
    }

    private func writeControlF4(_ value: UInt32, _ state: inout State) {
        guard state.control & 1 << 31 == 0 else { return }
        stall(&state)
        state.control = value & 0x8301_83FF & ~(1 << 16)
        if value & 1 << 31 != 0 { state.keys = state.keys == nil ? nil : 0 }
        guard value & 1 << 16 != 0 else { return }
        let isSector = value & 1 << 1 != 0
        let first = value & 1 << 2 != 0, second = value & 1 << 15 != 0
        // MERx and SER both set: neither is done (3.6.3).
        guard isSector != (first || second) else {
            state.status |= Flag.sequence
            return
        }
        let width = value >> 8 & 3
        if isSector {
            let number = Int(value >> 3 & 0x1F)
            let bank = number >> 4, index = number & 0xF
            guard bank < part.bankCount, index < 12 else {
                state.status |= Flag.sequence
                return
            }
            guard !isProtected(bank, index, state) else {
                state.status |= Flag.writeProtection
                return
            }
            perform(.erase(unit: bank * 12 + index), Self.eraseTime(part.unitSizes[index], width), &state)
        } else {
            for bank in 0..<part.bankCount where bank == 0 ? first : second {
                perform(
                    .eraseBank(bank), (width == 2 ? 8_000_000 : 16_000_000, width == 2 ? 16_000_000 : 32_000_000),
                    &state)
            }
        }
    }

    /// nWRP of FLASH_OPTCR; that of bank 2 (FLASH_OPTCR1) is never set here.
    private func isProtected(_ bank: Int, _ index: Int, _ state: State) -> Bool {
        bank == 0 && state.options & 1 << UInt32(16 + index) == 0
    }

    /// µs (STM32F427xx data sheet, "Flash memory programming"): typical and longest.
    private static func eraseTime(_ size: Int, _ width: UInt32) -> (UInt64, UInt64) {
        let table: [(UInt64, UInt64)] =
            switch size {
            case 16 << 10: [(400, 800), (300, 600), (250, 500)]
            case 64 << 10: [(1200, 2400), (700, 1400), (550, 1100)]
            default: [(2000, 4000), (1300, 2600), (1000, 2000)]
            }
        let entry = table[Int(min(width, 2))]
        return (entry.0 * 1000, entry.1 * 1000)
    }

    /// Programming clears bits; the width has to be the one that is set (RM0090 3.6.4).
    func programF4(_ place: Int, _ value: UInt32, _ width: Int, _ state: inout State) {
        stall(&state)
        guard state.control & 1 << 31 == 0, state.control & 1 != 0 else {
            state.status |= Flag.sequence
            return
        }
        guard width == 1 << Int(state.control >> 8 & 3) else {
            state.status |= Flag.parallelism
            return
        }
        guard place % width == 0 else {
            state.status |= Flag.alignment
            return
        }
        let (unit, _) = state.contents.place(place)
        guard !isProtected(unit / 12, unit % 12, state) else {
            state.status |= Flag.writeProtection
            return
        }
        let bytes = (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
        perform(.program(offset: place, bytes), (16, 100), &state)
    }

    /// OPTSTRT erases the option sector and programs what the register holds (RM0090 3.7.2).
    private func writeOptionsF4(_ value: UInt32, _ state: inout State) {
        guard !state.isOptionLocked else { return }
        stall(&state)
        state.options = value & 0xCFFF_FFFC
        if part == .f405 { state.options &= 0x0FFF_FFEC }
        if value & 1 << 1 != 0 { perform(.options(state.options), (270_000, 600_000), &state) }
        if value & 1 != 0 {
            state.isOptionLocked = true
            state.optionKeys = state.optionKeys == nil ? nil : 0
        }
    }
}
