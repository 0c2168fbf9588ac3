public import FirmwareImages
public import FirmwareStorage

/// Why a program was not installed.
public enum SlotProblem: Error, Equatable, Sendable {
    /// The package is wrong.
    case image(ImageProblem)
    /// The flash failed.
    case flash(FlashFault)
    /// The running program has not proved itself: the other slot is its way back.
    case onTrial
    /// The device is about to restart.
    case restarting
    /// Nothing was started.
    case notStarted
    /// The flash does not hold what was written.
    case notWritten
    /// The records say that another program runs: the boot loader could not write them.
    case records
}

/// Writes a program into the slot that does not run, and chooses which slot starts.
///
/// The slot that runs is never touched. The other one is erased, unit by unit, only after the start of the package has
/// shown that it is a program for this device. It is selected when all of it is written, read back and found good, with
/// one record; so a cut at any moment leaves the old or the new program.
public struct SlotInstaller<Area: FlashArea> {
    private enum State {
        case free
        case writing
        case decided
    }

    private var slots: (Area, Area)
    /// What is known of both slots.
    public private(set) var records: SlotRecords<Area>
    /// The slot whose program runs.
    public let running: Int
    /// True while the running program has to prove itself.
    public private(set) var isOnTrial: Bool
    /// False when the records told something else than what runs. Nothing may be changed then: each change would be about
    /// the wrong slot. The boot loader writes them again at the next start.
    public let recordsAreRight: Bool
    private let target: ImageTarget
    private var state = State.free
    private var scanner: ImageScanner
    /// Bytes of the image in the flash.
    private var written = 0
    /// Bytes that wait: everything up to the descriptor, then up to a piece. The last one is written by ``finish()`` only,
    /// so no program that nobody finished is ever whole.
    private var pending = InlineArray<1024, UInt8>(repeating: 0xFF)
    private var pendingCount = 0
    private var erasedUpTo = 0

    /// An installer for the two slots; packages have to be for `target`. `started` is what the boot loader says that it
    /// started, nil where none says anything: then the records count.
    public init(
        _ first: Area, _ second: Area, records: SlotRecords<Area>, target: ImageTarget, started: StartedSlot? = nil
    ) {
        slots = (first, second)
        self.records = records
        self.target = target
        let isPending = records.choice.active.status == .pending
        running = started?.slot ?? records.choice.boot
        isOnTrial = started?.isOnTrial ?? isPending
        recordsAreRight = running == records.choice.boot && isOnTrial == isPending
        scanner = ImageScanner(target)
    }

    /// Bytes that a slot holds.
    public var capacity: Int { min(slots.0.size, slots.1.size) }

    /// True when all bytes of the package have come.
    public var isComplete: Bool { scanner.isComplete }

    /// What the program in a slot says of itself; nil when there is none.
    public func descriptor(of slot: Int) -> ProgramDescriptor? {
        Self.descriptor(in: slot == 0 ? slots.0 : slots.1)
    }

    /// What the program in `area` says of itself; nil when there is none.
    public static func descriptor(in area: Area) -> ProgramDescriptor? {
        var bytes = InlineArray<128, UInt8>(repeating: 0)
        do throws(FlashFault) {
            try area.read(at: ProgramDescriptor.offset, into: &bytes, count: ProgramDescriptor.size)
        } catch { return nil }
        do { return try ProgramDescriptor(parsing: bytes.span.bytes, at: 0) } catch { return nil }
    }

    /// The program that going back would start.
    public var previous: ProgramDescriptor? {
        let choice = records.choice
        return choice[choice.other].status == .valid ? descriptor(of: choice.other) : nil
    }

    // MARK: Installing

    /// Begins; what was left of another installation is dropped.
    public mutating func start() throws(SlotProblem) {
        switch state {
        case .decided: throw .restarting
        case .writing: cancel()
        case .free: break
        }
        guard recordsAreRight else { throw .records }
        guard !isOnTrial else { throw .onTrial }
        scanner = ImageScanner(target)
        written = 0
        pendingCount = 0
        erasedUpTo = 0
        state = .writing
    }

    /// Takes the next bytes of the package.
    public mutating func append(_ bytes: RawSpan) throws(SlotProblem) {
        guard case .writing = state else { throw .notStarted }
        do throws(SlotProblem) {
            do throws(ImageProblem) { try scanner.feed(bytes) } catch { throw .image(error) }
            for i in 0..<bytes.byteCount {
                // The scanner knows the descriptor before the first piece is full.
                if pendingCount == 1024 { try writePending() }
                pending[pendingCount] = bytes.unsafeLoad(fromByteOffset: i, as: UInt8.self)
                pendingCount += 1
            }
        } catch {
            cancel()
            throw error
        }
    }

    /// Writes the rest, reads all of it back, and makes it the program of the next start.
    public mutating func finish() throws(SlotProblem) {
        guard case .writing = state else { throw .notStarted }
        do throws(SlotProblem) {
            let digest: ImageDigest
            do throws(ImageProblem) { digest = try scanner.finish() } catch { throw .image(error) }
            if pendingCount > 0 { try writePending() }
            guard check(records.choice.other) == digest else { throw .notWritten }
            var choice = records.choice
            choice.select(choice.other, digest)
            do throws(FlashFault) { try records.store(choice) } catch { throw .flash(error) }
            state = .decided
        } catch {
            cancel()
            throw error
        }
    }

    /// Drops the installation.
    public mutating func cancel() {
        if case .writing = state { state = .free }
    }

    /// The hash of the program in a slot when it is whole and for this device.
    public func check(_ slot: Int) -> ImageDigest? {
        slot == 0 ? slots.0.imageDigest(for: target) : slots.1.imageDigest(for: target)
    }

    private mutating func writePending() throws(SlotProblem) {
        let slot = records.choice.other
        do throws(FlashFault) {
            if written == 0 && records.choice[slot].status != .empty {
                // From here on the slot does not hold what it held.
                var choice = records.choice
                choice.beginWriting(slot)
                try records.store(choice)
            }
            // Filled up to what the flash writes at once; the image is a multiple of 8 itself.
            let count = (pendingCount + 15) & ~15
            for i in pendingCount..<count { pending[i] = 0xFF }
            if slot == 0 {
                try Self.write(&slots.0, written, pending.span.bytes.extracting(first: count), &erasedUpTo)
            } else {
                try Self.write(&slots.1, written, pending.span.bytes.extracting(first: count), &erasedUpTo)
            }
        } catch { throw .flash(error) }
        written += pendingCount
        pendingCount = 0
    }

    private static func write(
        _ area: inout Area, _ place: Int, _ bytes: RawSpan, _ erasedUpTo: inout Int
    ) throws(FlashFault) {
        while erasedUpTo < place + bytes.byteCount {
            guard erasedUpTo < area.size else { throw .range }
            let unit = area.unit(at: erasedUpTo)
            try area.erase(unitAt: unit.start)
            erasedUpTo = unit.end
        }
        try bytes.withUnsafeBytes { bytes throws(FlashFault) in try area.write(at: place, bytes) }
    }

    // MARK: The trial

    /// The running program has proved itself.
    public mutating func confirm() throws(SlotProblem) {
        guard isOnTrial else { return }
        guard recordsAreRight else { throw .records }
        var choice = records.choice
        choice.confirm()
        do { try records.store(choice) } catch { throw .flash(error) }
        isOnTrial = false
    }

    /// Gives the running program up for the one in the other slot; the caller restarts. False when there is none that
    /// proved itself.
    public mutating func goBack(_ reason: GoneBack) throws(SlotProblem) -> Bool {
        guard case .free = state else { throw .restarting }
        guard recordsAreRight else { throw .records }
        var choice = records.choice
        guard choice.giveUp(reason), check(choice.boot) == choice.active.digest else { return false }
        do { try records.store(choice) } catch { throw .flash(error) }
        state = .decided
        return true
    }
}
