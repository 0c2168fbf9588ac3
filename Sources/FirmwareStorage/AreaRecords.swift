/// What a start of a device with one place for programs has left to do; see ``AreaCopy``.
public enum AreaTask: UInt8, Sendable {
    /// Nothing.
    case none = 0
    /// The program that runs is copied into the backup area, before it is replaced.
    case save = 1
    /// The downloaded program is copied over the one that runs.
    case install = 2
    /// The backup is copied over the program that runs.
    case restore = 3
}

/// What is known of the three areas for programs.
public struct AreaState: Equatable, Sendable {
    /// What is left to do.
    public var task: AreaTask
    /// Erase units of the target that are done of that.
    public var done: UInt32
    /// The program that runs.
    public var active: SlotEntry
    /// The program that came last, waiting to be installed.
    public var downloaded: SlotEntry
    /// The program that ran before.
    public var backup: SlotEntry
    /// Why the program before the one that runs was left.
    public var goneBack: GoneBack

    /// A state; without arguments that of a flash on which nothing was ever stored.
    public init(
        task: AreaTask = .none, done: UInt32 = 0, active: SlotEntry = SlotEntry(), downloaded: SlotEntry = SlotEntry(),
        backup: SlotEntry = SlotEntry(), goneBack: GoneBack = .no
    ) {
        self.task = task
        self.done = done
        self.active = active
        self.downloaded = downloaded
        self.backup = backup
        self.goneBack = goneBack
    }
}

/// Keeps an ``AreaState``.
public typealias AreaRecords<Area: FlashArea> = RecordPair<Area, AreaState>

extension RecordPair where Content == AreaState {
    /// What counts.
    public var state: AreaState { content }
}

extension AreaState: FlashRecord {
    /// `AREA`
    public static var mark: UInt32 { 0x4145_5241 }
    /// 128
    public static var size: Int { 128 }

    /// Nothing is known.
    public static var initial: AreaState { AreaState() }

    /// Task, reason, how far it came, three statuses, three hashes.
    public func encode(into record: inout InlineArray<128, UInt8>) {
        record[8] = task.rawValue
        record[9] = goneBack.rawValue
        record.put(done, at: 12)
        record.put(active, status: 16, digest: 28)
        record.put(downloaded, status: 17, digest: 60)
        record.put(backup, status: 18, digest: 92)
    }

    /// Reads the same.
    public init?(decoding record: InlineArray<128, UInt8>) {
        guard let task = AreaTask(rawValue: record[8]), let goneBack = GoneBack(rawValue: record[9]),
            let active = record.entry(status: 16, digest: 28),
            let downloaded = record.entry(status: 17, digest: 60), let backup = record.entry(status: 18, digest: 92)
        else { return nil }
        self.init(
            task: task, done: record.word(12), active: active, downloaded: downloaded, backup: backup,
            goneBack: goneBack)
    }
}
