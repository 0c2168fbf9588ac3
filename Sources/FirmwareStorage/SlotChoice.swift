public import FirmwareImages

/// How far the program in a slot has come.
public enum SlotStatus: UInt8, Sendable {
    /// Nothing is known: never written, or being written.
    case empty = 0
    /// Written and found good; waits for its first start.
    case new = 1
    /// Was started and has not proved itself yet.
    case pending = 2
    /// Proved itself.
    case valid = 3
    /// Did not prove itself, or was given up.
    case invalid = 4
}

/// Why another program runs than the one that was chosen.
public enum GoneBack: UInt8, Sendable {
    /// It runs.
    case no = 0
    /// A reset or a loss of power came before it proved itself.
    case noProof = 1
    /// It stopped answering the watchdog.
    case watchdog = 2
    /// It did what the processor does not allow.
    case crash = 3
    /// It found itself wanting.
    case selfTest = 4
    /// An operator wanted it.
    case asked = 5
    /// Its bytes changed.
    case damaged = 6
}

/// One of two slots.
public struct SlotEntry: Equatable, Sendable {
    /// How far its program has come.
    public var status: SlotStatus
    /// Hash of that program; another one in the slot is not meant.
    public var digest: ImageDigest

    /// An entry.
    public init(_ status: SlotStatus = .empty, _ digest: ImageDigest = ImageDigest()) {
        self.status = status
        self.digest = digest
    }
}

/// Which of two slots starts, and what is known of both: what ``SlotRecords`` stores.
public struct SlotChoice: Equatable, Sendable {
    /// Slot to start, 0 or 1.
    public var boot: Int
    /// Slot 0.
    public var first: SlotEntry
    /// Slot 1.
    public var second: SlotEntry
    /// Why the program before the one in ``boot`` was left.
    public var goneBack: GoneBack

    /// A choice; without arguments that of a flash on which nothing was ever stored.
    public init(
        boot: Int = 0, first: SlotEntry = SlotEntry(), second: SlotEntry = SlotEntry(), goneBack: GoneBack = .no
    ) {
        self.boot = boot & 1
        self.first = first
        self.second = second
        self.goneBack = goneBack
    }

    /// The entry of a slot, 0 or 1.
    public subscript(slot: Int) -> SlotEntry {
        get { slot == 0 ? first : second }
        set { if slot == 0 { first = newValue } else { second = newValue } }
    }

    /// The entry of the slot to start.
    public var active: SlotEntry { self[boot] }

    /// The slot that does not start.
    public var other: Int { 1 - boot }

    // MARK: What a program does

    /// Before the first byte of another program goes into `slot`.
    public mutating func beginWriting(_ slot: Int) { self[slot] = SlotEntry() }

    /// The program in `slot` is whole and starts next.
    public mutating func select(_ slot: Int, _ digest: ImageDigest) {
        self[slot] = SlotEntry(.new, digest)
        boot = slot & 1
        goneBack = .no
    }

    /// The running program has proved itself.
    public mutating func confirm() { self[boot].status = .valid }

    /// The running program is given up for the one in the other slot; false when that one never proved itself.
    public mutating func giveUp(_ reason: GoneBack) -> Bool {
        guard self[other].status == .valid else { return false }
        self[boot].status = .invalid
        boot = other
        goneBack = reason
        return true
    }

    // MARK: What the boot loader does

    /// What is started.
    public struct Plan: Equatable, Sendable {
        /// The slot.
        public let slot: Int
        /// The program has to prove itself.
        public let isOnTrial: Bool
        /// To be stored before the start; equal to what was read when nothing changed.
        public let choice: SlotChoice
    }

    /// Decides what starts; nil when no slot holds a whole program. `cause` is what the boot loader knows of the last
    /// reset, `image` gives the hash of the program in a slot, nil when it is not whole.
    ///
    /// A program that is found `pending` had its start and did not prove itself: it is left. When nothing that is known to
    /// be good is there, anything that is whole is better than a device that is dead.
    public func plan(cause: GoneBack = .noProof, image: (Int) -> ImageDigest?) -> Plan? {
        var next = self
        if next.active.status == .pending {
            next[boot].status = .invalid
            next.goneBack = cause
            next.boot = other
        }
        let wanted = next.boot
        for turn in 0..<2 {
            let slot = turn == 0 ? wanted : 1 - wanted
            let entry = next[slot]
            guard entry.status == .valid || entry.status == .new, image(slot) == entry.digest else { continue }
            if slot != wanted {
                if next[wanted].status != .invalid && next.goneBack == .no { next.goneBack = .damaged }
                next[wanted].status = .invalid
                next.boot = slot
            }
            let isOnTrial = entry.status == .new
            if isOnTrial { next[slot].status = .pending }
            return Plan(slot: slot, isOnTrial: isOnTrial, choice: next)
        }
        for turn in 0..<2 {
            let slot = turn == 0 ? wanted : 1 - wanted
            guard let digest = image(slot) else { continue }
            next.boot = slot
            next[slot] = SlotEntry(.valid, digest)
            return Plan(slot: slot, isOnTrial: false, choice: next)
        }
        return nil
    }
}
