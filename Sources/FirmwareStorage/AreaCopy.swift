public import FirmwareImages

/// Replaces the program of a part whose programs run at one place only, so that a cut at any moment leaves the old or the
/// new one: five areas, of which this works on four.
///
/// - boot check: the code that calls ``start(cause:)`` after every reset. It is never written.
/// - active: the program that runs.
/// - downloaded: where the next program is gathered while the old one runs.
/// - backup: the program that ran before.
/// - records: what is known of the three, ``AreaRecords``. (The fifth area, data, belongs to the program.)
///
/// An update is: the downloaded program is whole (``select(_:)``); at the next start the active program is copied to the
/// backup, then the downloaded one over the active one, and it starts on trial. ``confirm()`` ends the trial. Without it the
/// next start copies the backup over the active area. The source of a copy is never touched before the copy is whole, and
/// the records tell which copy it is and how far it came, so that it goes on after a cut: the erase units that may have been
/// in work are erased again. A copy is read back, and its hash must be the one it has to have, before the next step.
///
/// Where the flash fails, what proved itself starts: a copy whose steps can't be written down is not begun, and neither is a
/// trial.
///
/// The three areas have the same use for programs of up to the smallest one's size; their erase units may differ. All of it
/// runs from code that none of the areas holds, without allocation.
public struct AreaCopy<Area: FlashArea> {
    /// What ``start(cause:)`` found to start.
    public struct Start: Equatable, Sendable {
        /// What the program in the active area says of itself.
        public let program: ProgramDescriptor
        /// Its hash.
        public let digest: ImageDigest
        /// The program has to prove itself, or the next start takes it back.
        public let isOnTrial: Bool
        /// How the flash failed, so that this start is not written down and is not the one that was due; nil when all went
        /// well.
        public var fault: FlashFault?
    }

    /// How often a copy is written down at most: a copy that goes on after a cut repeats what came after the last time.
    private static var mostMarks: Int { 32 }
    /// Bytes copied at once, on the stack.
    private static var chunk: Int { 256 }

    private var activeArea: Area
    private var downloadedArea: Area
    private var backupArea: Area
    private var records: AreaRecords<Area>
    private let target: ImageTarget

    /// The machine over its areas; programs must be for `target`, whose ``ImageTarget/largest`` is brought down to the
    /// smallest area.
    public init(
        active: Area, downloaded: Area, backup: Area, records: Area, target: ImageTarget
    ) throws(FlashFault) {
        activeArea = active
        downloadedArea = downloaded
        backupArea = backup
        self.records = try AreaRecords(records)
        var target = target
        let smallest = min(active.size, downloaded.size, backup.size)
        target.largest = min(target.largest, UInt32(truncatingIfNeeded: smallest))
        self.target = target
    }

    /// What is known now.
    public var state: AreaState { records.state }

    /// Bytes that a program may have.
    public var capacity: Int { Int(truncatingIfNeeded: target.largest) }

    // MARK: What a program does

    /// The area that a new program is written into by the caller, after ``beginDownload()``.
    public var downloaded: Area {
        get { downloadedArea }
        set { downloadedArea = newValue }
    }

    /// The program that runs has proved itself and nothing waits for the next start: a new program may be taken.
    public var isReady: Bool { state.task == .none && state.active.status == .valid }

    /// The program that going back would start is there.
    public var canGoBack: Bool {
        state.backup.status == .valid && state.backup.digest != state.active.digest && state.task == .none
    }

    /// Before the first byte of a new program is written: what lies in the downloaded area does not count any more.
    public mutating func beginDownload() throws(FlashFault) {
        guard state.downloaded.status != .empty else { return }
        var next = state
        next.downloaded = SlotEntry()
        try records.store(next)
    }

    /// The program in the downloaded area is whole, has that hash, and is installed by the next start. The caller has read
    /// it back.
    public mutating func select(_ digest: ImageDigest) throws(FlashFault) {
        var next = state
        next.downloaded = SlotEntry(.new, digest)
        next.task = .save
        next.done = 0
        next.goneBack = .no
        try records.store(next)
    }

    /// The program that runs has proved itself.
    public mutating func confirm() throws(FlashFault) {
        guard state.active.status != .valid else { return }
        var next = state
        next.active.status = .valid
        try records.store(next)
    }

    /// Gives the program that runs up; the next start takes the backup. False when there is none that proved itself.
    public mutating func giveUp(_ reason: GoneBack) throws(FlashFault) -> Bool {
        guard canGoBack else { return false }
        try restore(reason)
        return true
    }

    private mutating func restore(_ reason: GoneBack) throws(FlashFault) {
        var next = state
        next.task = .restore
        next.done = 0
        next.goneBack = reason
        next.active.status = .invalid
        try records.store(next)
    }

    // MARK: What the boot check does

    /// Finishes what is to be done and says what to start; nil when no area holds a whole program. `cause` is what the boot
    /// check knows of the last reset.
    ///
    /// When the flash fails, what proved itself starts all the same (``Start/fault``); throws when there is nothing like it.
    public mutating func start(cause: GoneBack = .noProof) throws(FlashFault) -> Start? {
        do throws(FlashFault) { return try finish(cause) } catch {
            guard let start = startUnrecorded(error) else { throw error }
            return start
        }
    }

    private mutating func finish(_ cause: GoneBack) throws(FlashFault) -> Start? {
        if state.task == .none, state.active.status == .pending {
            // It had its start.
            let backup = try program(in: backupArea)
            if state.backup.status == .valid, backup?.digest == state.backup.digest {
                try restore(cause)
            } else {
                // Better than a device that is dead.
                try keepActive()
            }
        } else if state.task != .none {
            // What can't be written down is not begun: every start would begin it again.
            try records.store(state)
        }
        // Each step ends in another state; four are the most there can be (save, install, restore, none).
        for _ in 0..<4 {
            switch state.task {
            case .none: return try startActive()
            case .save: try save()
            case .install: try install()
            case .restore: try bringBack()
            }
        }
        return try startActive()
    }

    private mutating func startActive() throws(FlashFault) -> Start? {
        guard let found = try program(in: activeArea) else { return try rescue() }
        var next = state
        if found.digest != state.active.digest {
            // No copy of ours: a programmer wrote it.
            next.active = SlotEntry(.valid, found.digest)
        }
        switch next.active.status {
        case .new: next.active.status = .pending
        case .valid, .pending: break
        case .empty, .invalid: next.active.status = .valid
        }
        if next != state { try records.store(next) }
        return Start(
            program: found.descriptor, digest: found.digest, isOnTrial: next.active.status == .pending)
    }

    /// The active area holds no whole program and nothing was being copied: its bytes changed, or the records are lost.
    private mutating func rescue() throws(FlashFault) -> Start? {
        var next = state
        next.done = 0
        if let backup = try program(in: backupArea) {
            next.task = .restore
            next.backup = SlotEntry(.valid, backup.digest)
            next.goneBack = .damaged
        } else if let downloaded = try program(in: downloadedArea) {
            next.task = .install
            next.downloaded = SlotEntry(.new, downloaded.digest)
        } else {
            return nil
        }
        next.active = SlotEntry()
        try records.store(next)
        if next.task == .restore { try bringBack() } else { try install() }
        guard state.task == .none, let found = try program(in: activeArea), found.digest == state.active.digest else {
            return nil
        }
        next = state
        let isOnTrial = next.active.status == .new
        if isOnTrial {
            next.active.status = .pending
            try records.store(next)
        }
        return Start(program: found.descriptor, digest: found.digest, isOnTrial: isOnTrial)
    }

    private mutating func keepActive() throws(FlashFault) {
        var next = state
        next.task = .none
        next.done = 0
        next.active.status = .valid
        try records.store(next)
    }

    /// Active → backup.
    private mutating func save() throws(FlashFault) {
        // What would be installed is looked at first: nothing is given up for a program that is not whole.
        guard try program(in: downloadedArea)?.digest == state.downloaded.digest else {
            return try leaveDownloaded(for: .none)
        }
        guard let active = try program(in: activeArea), active.digest == state.active.digest else {
            // Nothing that could be saved; the way back is to what the backup holds, if it holds anything.
            return try beginInstall(backup: state.backup)
        }
        // After going back the backup is the program that runs.
        var isSaved = state.backup.status == .valid && state.backup.digest == active.digest
        if isSaved { isSaved = try program(in: backupArea)?.digest == active.digest }
        if !isSaved {
            if state.backup.status != .empty {
                var next = state
                next.backup = SlotEntry()
                try records.store(next)
            }
            // Without a way back nothing is replaced.
            guard try isCopied(.save, active) else { return try leaveDownloaded(for: .none) }
        }
        try beginInstall(backup: SlotEntry(.valid, active.digest))
    }

    private mutating func beginInstall(backup: SlotEntry) throws(FlashFault) {
        var next = state
        next.task = .install
        next.done = 0
        next.backup = backup
        next.active.status = .invalid
        try records.store(next)
    }

    /// Downloaded → active.
    private mutating func install() throws(FlashFault) {
        if let downloaded = try program(in: downloadedArea), downloaded.digest == state.downloaded.digest {
            var isWhole = try isCopied(.install, downloaded)
            if !isWhole {
                // Once more, all of it: a start that could write nothing down may have put the backup over what is done.
                var next = state
                next.done = 0
                try records.store(next)
                isWhole = try isCopied(.install, downloaded)
            }
            if isWhole {
                var next = state
                next.task = .none
                next.done = 0
                next.active = SlotEntry(.new, downloaded.digest)
                next.downloaded = SlotEntry()
                return try records.store(next)
            }
        }
        // The bytes changed since they were checked, or the active area does not keep them.
        try leaveDownloaded(for: state.backup.status == .valid ? .restore : .none)
    }

    /// What was downloaded is not installed.
    private mutating func leaveDownloaded(for task: AreaTask) throws(FlashFault) {
        var next = state
        next.task = task
        next.done = 0
        next.downloaded.status = .invalid
        next.goneBack = .damaged
        try records.store(next)
    }

    /// Backup → active.
    private mutating func bringBack() throws(FlashFault) {
        guard let backup = try program(in: backupArea) else {
            // Whatever the active area holds is all there is.
            try keepActive()
            return
        }
        try copy(.restore, size: backup.descriptor.imageSize)
        guard try program(in: activeArea)?.digest == backup.digest else { throw .notErased }
        var next = state
        next.task = .none
        next.done = 0
        next.active = SlotEntry(.valid, backup.digest)
        next.backup = SlotEntry(.valid, backup.digest)
        try records.store(next)
    }

    // MARK: What is left when the flash fails

    /// What starts when the flash failed with `fault` and nothing can be written down; nil when nothing whole is left.
    ///
    /// The copy that it may take needs no records: a start that finds it cut finds no program, or one with another hash than
    /// the records say, and makes it again.
    private mutating func startUnrecorded(_ fault: FlashFault) -> Start? {
        let active = whole(activeArea)
        if let active, isProved(active.digest) { return Self.start(active, fault) }
        if let backup = whole(backupArea),
            active == nil || state.backup == SlotEntry(.valid, backup.digest),
            let start = replaceActive(.restore, backup, fault)
        {
            return start
        }
        // Anything is better than a device that is dead.
        if let active = whole(activeArea) { return Self.start(active, fault) }
        guard let downloaded = whole(downloadedArea) else { return nil }
        return replaceActive(.install, downloaded, fault)
    }

    /// A program in the active area is no trial, as far as is known.
    private func isProved(_ digest: ImageDigest) -> Bool {
        if state.backup == SlotEntry(.valid, digest) { return true }
        // What is no copy of ours a programmer wrote.
        guard digest == state.active.digest else { return state.downloaded != SlotEntry(.new, digest) }
        switch state.active.status {
        case .empty, .valid: return true
        case .new, .pending: return false
        // The one that was to be replaced, if it is not the one that was left.
        case .invalid: return state.task != .restore
        }
    }

    private mutating func replaceActive(_ task: AreaTask, _ image: StoredImage, _ fault: FlashFault) -> Start? {
        do throws(FlashFault) { try copy(task, size: image.descriptor.imageSize, isRecorded: false) } catch {
            return nil
        }
        guard let active = whole(activeArea), active == image else { return nil }
        return Self.start(active, fault)
    }

    private static func start(_ image: StoredImage, _ fault: FlashFault) -> Start {
        Start(program: image.descriptor, digest: image.digest, isOnTrial: false, fault: fault)
    }

    private func whole(_ area: Area) -> StoredImage? {
        do throws(FlashFault) { return try program(in: area) } catch { return nil }
    }

    // MARK: Copies

    /// Copies a program for a task and reads it back; false when the target does not hold it then.
    private mutating func isCopied(_ task: AreaTask, _ image: StoredImage) throws(FlashFault) -> Bool {
        do throws(FlashFault) { try copy(task, size: image.descriptor.imageSize) } catch { return false }
        return try program(in: task == .save ? backupArea : activeArea)?.digest == image.digest
    }

    /// Copies the first `size` bytes for a task, going on behind the erase units that are done according to the records.
    private mutating func copy(_ task: AreaTask, size: UInt32, isRecorded: Bool = true) throws(FlashFault) {
        let size = Int(truncatingIfNeeded: size)
        let done = isRecorded ? Int(truncatingIfNeeded: state.done) : 0
        let target = task == .save ? backupArea : activeArea
        var units = 0
        var at = 0
        while at < size {
            at = target.unit(at: at).end
            units += 1
        }
        let stride = max(1, (units + Self.mostMarks - 1) / Self.mostMarks)
        at = 0
        var number = 0
        while at < size {
            let unit = target.unit(at: at)
            if number >= done {
                switch task {
                case .save: try Self.copy(unit, size, from: activeArea, to: &backupArea)
                case .install: try Self.copy(unit, size, from: downloadedArea, to: &activeArea)
                case .restore: try Self.copy(unit, size, from: backupArea, to: &activeArea)
                case .none: return
                }
                if isRecorded && (number + 1) % stride == 0 && number + 1 < units {
                    var next = state
                    next.done = UInt32(truncatingIfNeeded: number + 1)
                    try records.store(next)
                }
            }
            number += 1
            at = unit.end
        }
    }

    private static func copy(
        _ unit: FlashUnit, _ size: Int, from source: Area, to target: inout Area
    ) throws(FlashFault) {
        try target.erase(unitAt: unit.start)
        var buffer = InlineArray<256, UInt8>(repeating: 0xFF)
        var at = unit.start
        while at < min(unit.end, size) {
            let count = min(chunk, min(unit.end, size) - at)
            // Behind the last byte erased ones fill up what is written at once.
            let step = target.writeSize
            let written = (count + step - 1) / step * step
            for i in count..<max(count, written) { buffer[i] = 0xFF }
            try source.read(at: at, into: &buffer, count: count)
            try target.write(at: at, buffer, count: written)
            at += count
        }
    }

    /// The whole program at the start of an area; nil when there is none that may run here.
    private func program(in area: Area) throws(FlashFault) -> StoredImage? { try StoredImage(in: area, for: target) }
}
