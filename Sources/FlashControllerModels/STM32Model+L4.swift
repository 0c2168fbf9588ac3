/// Registers of STM32L47x/L48x (RM0351 section 3).
extension STM32Model {
    private static let keys: [UInt32] = [0x4567_0123, 0xCDEF_89AB]
    private static let optionKeys: [UInt32] = [0x0819_2A3B, 0x4C5D_6E7F]
    private enum Flag {
        static let programming: UInt32 = 1 << 3
        static let alignment: UInt32 = 1 << 5
        static let size: UInt32 = 1 << 6
        static let sequence: UInt32 = 1 << 7
        /// Flags that let PGSERR be set by the next operation (3.7.5).
        static let errors: UInt32 = 0x43FA & ~(1 << 7)
    }

    func readL4(_ address: UInt32, _ state: inout State) -> UInt32 {
        switch address {
        case 0x4002_2000: return state.access
        case 0x4002_2008, 0x4002_200C: return 0
        case 0x4002_2010: return state.status | (state.busyUntil > state.microseconds ? 1 << 16 : 0)
        // OBL_LAUNCH stays until they are loaded; then the machine is reset.
        case 0x4002_2014: return state.control | (state.loadedAt > state.microseconds ? 1 << 27 : 0)
        case 0x4002_2018: return state.ecc
        case 0x4002_2020: return state.options
        case 0x4001_0000: return state.clocks & 1 != 0 && state.isSwapped ? 1 << 8 : 0
        case 0x4002_1060: return state.clocks
        default:
            state.counts.busErrors += 1
            return 0
        }
    }

    func writeL4(_ value: UInt32, _ address: UInt32, _ state: inout State) {
        switch address {
        case 0x4002_2000: writeAccess(value, &state)
        case 0x4002_2008: unlock(value, &state)
        case 0x4002_200C: unlockOptions(value, &state)
        case 0x4002_2010: state.status &= ~(value & 0xC3FB)
        case 0x4002_2014: writeControlL4(value, &state)
        case 0x4002_2018: state.ecc &= ~(value & (1 << 30 | 1 << 31))
        case 0x4002_2020:
            // Written only while OPTLOCK is cleared (3.4.2).
            if state.control & 1 << 30 == 0 { state.options = value }
        case 0x4002_1060: state.clocks = value
        default: state.counts.busErrors += 1
        }
    }

    /// A wrong key locks the register until the next reset and is a bus error (RM0351 3.3.5).
    private func unlock(_ value: UInt32, _ state: inout State) {
        guard let count = state.keys, count < 2, value == Self.keys[count] else {
            state.keys = nil
            state.control |= 3 << 30
            state.counts.busErrors += 1
            return
        }
        state.keys = count + 1
        if count == 1 { state.control &= ~(1 << 31) }
    }

    /// Only with LOCK cleared (RM0351 3.4.2).
    private func unlockOptions(_ value: UInt32, _ state: inout State) {
        guard let count = state.optionKeys, count < 2, value == Self.optionKeys[count], state.control & 1 << 31 == 0
        else {
            state.optionKeys = nil
            state.control |= 1 << 30
            state.counts.busErrors += 1
            return
        }
        state.optionKeys = count + 1
        if count == 1 { state.control &= ~(1 << 30) }
    }

    private func writeControlL4(_ value: UInt32, _ state: inout State) {
        guard state.control & 1 << 31 == 0 else { return }
        stall(&state)
        state.half = nil
        // OPTLOCK can be set here and is cleared by keys alone; LOCK sets it as well (3.7.6).
        var locks = state.control & 1 << 30 | value & 1 << 30
        if value & 1 << 31 != 0 { locks = 3 << 30 }
        if locks & 1 << 31 != 0 { state.keys = state.keys == nil ? nil : 0 }
        if locks & 1 << 30 != 0 { state.optionKeys = state.optionKeys == nil ? nil : 0 }
        state.control = value & 0x0000_8FFF | locks
        guard locks & 1 << 31 == 0 else { return }
        if value & 1 << 27 != 0, locks & 1 << 30 == 0 {
            state.wantsReset = true
            state.loadsOptions = true
            state.loadedAt = state.microseconds + 50
        }
        if value & 1 << 17 != 0, locks & 1 << 30 == 0 {
            let new = state.options
            perform(.options(new), (24_500, 50_000), &state)
        }
        guard value & 1 << 16 != 0 else { return }
        guard state.status & Flag.errors == 0 else {
            state.status |= Flag.sequence
            return
        }
        let page = value & 1 << 1 != 0
        let first = value & 1 << 2 != 0, second = value & 1 << 15 != 0
        // PG together with PER or MER is a wrong sequence (3.7.5).
        guard value & 1 == 0, page != (first || second) else {
            state.status |= Flag.sequence
            return
        }
        if page {
            let bank = value & 1 << 11 != 0 ? 1 : 0
            perform(.erase(unit: bank * 256 + Int(value >> 3 & 0xFF)), (22_020, 24_470), &state)
        } else {
            for bank in 0..<2 where bank == 0 ? first : second { perform(.eraseBank(bank), (22_130, 24_590), &state) }
        }
    }

    /// Two words make a double word, which must be erased unless zero is written (RM0351 3.3.7).
    func programL4(_ place: Int, _ value: UInt32, _ width: Int, _ state: inout State) {
        stall(&state)
        guard state.control & 1 << 31 == 0, state.control & 1 != 0, state.status & Flag.errors == 0 else {
            state.status |= Flag.sequence
            return
        }
        guard width == 4 else {
            state.status |= Flag.size
            state.half = nil
            return
        }
        guard let (offset, low) = state.half else {
            if place % 8 == 0 { state.half = (place, value) } else { state.status |= Flag.alignment }
            return
        }
        state.half = nil
        guard place == offset + 4 else {
            state.status |= Flag.alignment
            return
        }
        let bytes = [low, value].flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
        guard state.contents.isBlank(offset) || low == 0 && value == 0 else {
            state.status |= Flag.programming
            return
        }
        perform(.program(offset: offset, bytes), (82, 91), &state)
    }
}
