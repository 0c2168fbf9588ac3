public import FlashControllers
import Synchronization

/// The flash of an STM32 with its controller's registers, exact as far as the reference manuals tell: keys, locks, error
/// flags, sector numbers, rules of programming, caches, exchange of the banks, option bytes, and the time it all takes.
///
/// What the manuals leave open is taken to be as bad as it can be. Time is virtual: it passes while somebody waits.
public final class STM32Model: RegisterBus, Sendable {
    /// Called before each operation with what the flash holds at that moment.
    public typealias Observer = @Sendable (ControllerOperation, FlashContents) -> Void

    /// What was done and what went wrong since the model was made.
    public struct Counts: Sendable, Equatable {
        /// Erased units.
        public internal(set) var erases = 0
        /// Programmed words or double words.
        public internal(set) var programs = 0
        /// Times the option bytes were written.
        public internal(set) var optionWrites = 0
        /// Accesses that had to wait for an operation to end.
        public internal(set) var stalls = 0
        /// Accesses that a processor is interrupted for: wrong keys of an L4, addresses without anything.
        public internal(set) var busErrors = 0
        /// Reads of a double word with a wrong code: each raises an NMI.
        public internal(set) var damagedReads = 0
        /// Erases and programs of a part with two banks while its data cache was on: what that holds may be wrong afterwards
        /// (errata of these parts, "Data cache might be corrupted during Flash memory read-while-write operation").
        public internal(set) var cachedChanges = 0

        /// Nothing so far.
        public init() {}
    }

    /// How long operations take.
    public enum Speed: Sendable {
        /// As typical parts.
        case typical
        /// As the slowest.
        case longest
    }

    /// What the machine starts after a reset.
    public enum Started: Sendable, Equatable {
        /// The program at the beginning of a bank.
        case bank(Int)
        /// No bank has a stack pointer in RAM: the system boot loader waits for a host.
        case systemBootLoader
    }

    /// The part.
    public let part: STM32Part
    private let state: Mutex<State>
    private let turn = Mutex(())

    struct State {
        var contents: FlashContents
        var speed: Speed
        /// What a cache shows of units that changed since it was filled.
        var cached: [Int: [UInt8]] = [:]
        var access: UInt32 = 0
        var control: UInt32
        var status: UInt32 = 0
        /// FLASH_ECCR as the handler of the NMI leaves it.
        var ecc: UInt32 = 0
        /// What that handler noted for ``takeDamage()``.
        var isDamageNoted = false
        /// The option register, and what was loaded into it.
        var options: UInt32
        var loadedOptions: UInt32
        var isOptionLocked = true
        /// Keys that came, 0 or 1; nil when a wrong one locked the register until the next reset.
        var keys: Int? = 0
        var optionKeys: Int? = 0
        var clocks: UInt32 = 0
        var isSwapped = false
        /// First word of a double word and its offset.
        var half: (offset: Int, word: UInt32)?
        var microseconds: UInt64 = 0
        var busyUntil: UInt64 = 0
        var counts = Counts()
        var wantsReset = false
        var loadsOptions = false
        /// When the option bytes are loaded that OBL_LAUNCH asked for.
        var loadedAt: UInt64 = 0
        var isOff = false
        var observer: Observer?
        var file: ModelFile?
    }

    /// A part with contents; it has just been switched on.
    public init(_ contents: FlashContents, speed: Speed = .typical) {
        part = contents.part
        state = Mutex(
            State(
                contents: contents, speed: speed, control: contents.part == .l47x ? 0xC000_0000 : 0x8000_0000,
                options: contents.options, loadedOptions: contents.options))
        reset(powerOn: true)
    }

    /// A part whose flash is in a file; a new file is a part from the factory. One process has it at a time.
    public convenience init(file path: String, part: STM32Part) throws(ModelFile.Failure) {
        let file = try ModelFile(path, part)
        self.init(try file.load())
        state.withLock { $0.file = file }
    }

    // MARK: Outside of the machine

    /// What stays when the power goes now.
    public var contents: FlashContents { state.withLock { $0.contents } }
    /// What happened so far.
    public var counts: Counts { state.withLock { $0.counts } }
    /// Time that passed, µs.
    public var microseconds: UInt64 { state.withLock { $0.microseconds } }
    /// A program asked for a reset.
    public var wantsReset: Bool { state.withLock { $0.wantsReset } }
    /// True when nothing can be changed: LOCK and OPTLOCK are set.
    public var isLocked: Bool {
        state.withLock { $0.control & 1 << 31 != 0 && (part == .l47x ? $0.control & 1 << 30 != 0 : $0.isOptionLocked) }
    }

    /// Sets who is told of operations; nil for nobody.
    public func observe(_ observer: Observer?) { state.withLock { $0.observer = observer } }

    /// Puts contents into the flash, as a programmer in production does; the machine is reset.
    public func program(_ contents: FlashContents) throws(ModelFile.Failure) {
        try state.withLock { state throws(ModelFile.Failure) in
            try state.file?.store(contents)
            state.contents = contents
        }
        reset(powerOn: true)
    }

    /// Switches the machine off: what a thread of the program that ran still wants to do has no effect, as in a chip that was
    /// reset. The file is free for another model.
    public func switchOff() {
        state.withLock {
            $0.isOff = true
            $0.file?.sync()
            $0.file = nil
        }
    }

    /// Resets the machine and says what it starts (RM0090 2.4, RM0351 2.6, AN2606 "dual bank boot").
    ///
    /// With BFB2 the system boot loader looks at the first word of bank 2, then of bank 1, and starts the first whose stack
    /// pointer is in RAM; bank 2 then appears at 0x08000000. An L4 loads its option bytes only after power-on and on
    /// request (RM0351 3.4.2).
    @discardableResult public func reset(powerOn: Bool = false) -> Started {
        state.withLock { state in
            if powerOn || part != .l47x || state.loadsOptions {
                state.loadedOptions = state.contents.options
            }
            state.options = state.loadedOptions
            state.wantsReset = false
            state.loadsOptions = false
            state.loadedAt = 0
            state.control = part == .l47x ? 0xC000_0000 : 0x8000_0000
            state.isOptionLocked = true
            state.keys = 0
            state.optionKeys = 0
            // OPTVERR comes again with each reset while the option bytes do not match their complement (RM0351 3.7.5).
            state.status = part == .l47x && state.options == part.erasedOptions ? 1 << 15 : 0
            state.ecc = 0
            state.isDamageNoted = false
            // Both caches are on, as start-up code of a program has them.
            state.access = 1 << 9 | 1 << 10
            state.cached = [:]
            state.half = nil
            state.busyUntil = state.microseconds
            state.clocks = 0
            state.isSwapped = false
            guard let bit = part.bootBank2, state.options & bit != 0 else { return .bank(0) }
            for bank in [1, 0] {
                let offset = bank * part.bankSize
                guard !state.contents.damaged.contains(offset / 8) else { continue }
                let first = state.contents.bytes(at: offset, count: 4)
                let pointer = first.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                guard part.ram.contains(pointer &- 1) else { continue }
                state.isSwapped = bank == 1
                return .bank(bank)
            }
            return .systemBootLoader
        }
    }

    /// Runs something that takes several accesses and that no other thread may come between, as a lock of an operating
    /// system does around a driver. Not to be called from inside of itself.
    public func exclusively<Result: Sendable, Failure: Error>(
        _ work: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try turn.withLock { (_) throws(Failure) in try work() }
    }

    // MARK: RegisterBus

    /// Lets time pass: the longer the more is left of an operation.
    public func idle() {
        state.withLock { state in
            let left = state.busyUntil > state.microseconds ? state.busyUntil - state.microseconds : 0
            state.microseconds += left / 4 + 10
        }
    }

    /// Time that passed, ms.
    public var milliseconds: UInt32 { state.withLock { UInt32(truncatingIfNeeded: $0.microseconds / 1000) } }

    /// Reads a register or a word of flash.
    public func read32(_ address: UInt32) -> UInt32 {
        if let offset = flashOffset(address), offset <= part.flashSize - 4 {
            var word: UInt32 = 0
            withUnsafeMutableBytes(of: &word) { copy(address, into: $0) }
            return UInt32(littleEndian: word)
        }
        return state.withLock { state in
            guard !state.isOff else { return 0 }
            state.microseconds += 1
            return part == .l47x ? readL4(address, &state) : readF4(address, &state)
        }
    }

    /// Writes a register or a word of flash.
    public func write32(_ value: UInt32, to address: UInt32) {
        state.withLock { state in
            guard !state.isOff else { return }
            state.microseconds += 1
            if let offset = flashOffset(address) {
                programming(offset, value, width: 4, &state)
            } else if address == 0xE000_ED0C {
                guard value == 0x05FA_0004 else { return }
                state.wantsReset = true
                // A reset that comes before the option bytes are loaded is one without.
                if state.microseconds < state.loadedAt { state.loadsOptions = false }
            } else if part == .l47x {
                writeL4(value, address, &state)
            } else {
                writeF4(value, address, &state)
            }
        }
    }

    /// Writes a half-word of flash.
    public func write16(_ value: UInt16, to address: UInt32) { program(UInt32(value), address, width: 2) }

    /// Writes a byte of flash.
    public func write8(_ value: UInt8, to address: UInt32) { program(UInt32(value), address, width: 1) }

    private func program(_ value: UInt32, _ address: UInt32, width: Int) {
        state.withLock { state in
            guard !state.isOff else { return }
            state.microseconds += 1
            guard let offset = flashOffset(address) else {
                state.counts.busErrors += 1
                return
            }
            programming(offset, value, width: width, &state)
        }
    }

    private func programming(_ offset: Int, _ value: UInt32, width: Int, _ state: inout State) {
        let place = physical(offset, state)
        if part == .l47x {
            programL4(place, value, width, &state)
        } else {
            programF4(place, value, width, &state)
        }
    }

    /// Copies flash.
    public func copy(_ address: UInt32, into out: UnsafeMutableRawBufferPointer) {
        state.withLock { state in
            guard !state.isOff, let offset = flashOffset(address), out.count <= part.flashSize - offset else {
                out.initializeMemory(as: UInt8.self, repeating: 0)
                state.counts.busErrors += 1
                return
            }
            // Any read of a bank that is being changed waits.
            stall(&state)
            state.microseconds += UInt64(out.count / 16)
            var done = 0
            while done < out.count {
                let place = physical(offset + done, state)
                let (unit, inside) = state.contents.place(place)
                let bytes = state.cached[unit] ?? state.contents.units[unit]
                let part = min(out.count - done, bytes.count - inside)
                bytes.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(rebasing: out[done..<done + part]).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: $0[inside..<inside + part]))
                }
                if !state.contents.damaged.isEmpty { checkCodes(place, part, &state) }
                done += part
            }
        }
    }

    private func checkCodes(_ place: Int, _ count: Int, _ state: inout State) {
        guard count > 0 else { return }
        for word in place / 8...(place + count - 1) / 8 where state.contents.damaged.contains(word) {
            state.counts.damagedReads += 1
            // ECCD is set and holds the NMI: its handler clears it at once and notes that.
            state.ecc = UInt32(word * 8 / part.bankSize) << 19 | UInt32(word * 8 % part.bankSize) & 0x7FFFF
            state.isDamageNoted = true
        }
    }

    /// What the handler of the NMI noted.
    public func takeDamage() -> Bool {
        state.withLock { state in
            defer { state.isDamageNoted = false }
            return state.isDamageNoted
        }
    }

    // MARK: Operations

    func stall(_ state: inout State) {
        guard state.busyUntil > state.microseconds else { return }
        state.counts.stalls += 1
        state.microseconds = state.busyUntil
    }

    /// Does an operation; it takes `time` µs, typical and longest.
    func perform(_ operation: ControllerOperation, _ time: (UInt64, UInt64), _ state: inout State) {
        state.observer?(operation, state.contents)
        // A cache that is on shows what was there before.
        if state.access & (1 << 9 | 1 << 10) != 0 {
            switch operation {
            case .erase(let unit): keep(unit, &state)
            case .eraseBank(let bank):
                let perBank = state.contents.units.count / part.bankCount
                for unit in bank * perBank..<(bank + 1) * perBank { keep(unit, &state) }
            case .program(let offset, _): keep(state.contents.place(offset).unit, &state)
            case .options: break
            }
        }
        let isOptions = if case .options = operation { true } else { false }
        if !isOptions, part.bankCount == 2, state.access & 1 << 10 != 0 { state.counts.cachedChanges += 1 }
        switch operation {
        case .erase: state.counts.erases += 1
        case .eraseBank: state.counts.erases += part.unitSizes.count
        case .program: state.counts.programs += 1
        case .options: state.counts.optionWrites += 1
        }
        state.contents.perform(operation)
        state.file?.note(operation, state.contents)
        state.busyUntil = state.microseconds + (state.speed == .typical ? time.0 : time.1)
    }

    private func keep(_ unit: Int, _ state: inout State) {
        if state.cached[unit] == nil { state.cached[unit] = state.contents.units[unit] }
    }

    /// Caches are reset while they are off.
    func writeAccess(_ value: UInt32, _ state: inout State) {
        let on: UInt32 = 1 << 9 | 1 << 10, resets: UInt32 = 1 << 11 | 1 << 12
        if value & resets == resets, value & on == 0, state.access & on == 0 { state.cached = [:] }
        state.access = value
    }

    // MARK: Addresses

    private func flashOffset(_ address: UInt32) -> Int? {
        guard address >= 0x0800_0000, address < 0x0800_0000 + UInt32(part.flashSize) else { return nil }
        return Int(address - 0x0800_0000)
    }

    private func physical(_ offset: Int, _ state: State) -> Int {
        state.isSwapped ? (offset + part.bankSize) % part.flashSize : offset
    }
}
