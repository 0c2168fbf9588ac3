import HistoryEntries

/// Entries that wait to be written. Joins what repeats, and bounds what waits. Pure: time is that of the entries.
///
/// Whoever tries passwords or reconnects without end fills no history: the first of such entries in ten minutes are kept
/// one by one, all others are counted in the last of those. Names that one address tries are told apart up to a number,
/// and so are all refusals together.
struct PendingEntries {
    /// What is kept one by one, and how much may wait.
    struct Limits {
        /// Entries about connections that wait; beyond it the oldest are left out and counted.
        var connections = 4_096
        /// Changes that wait. They are never left out, except that memory has an end when nothing can be written for days.
        var changes = 16_384
        /// Time in which entries are joined, ms.
        var window: Int64 = 600_000
        /// Logins of one user from one address in that time that get entries of their own, and ends of its connections.
        var logins = 12
        /// Names of one address that was refused in that time.
        var refusedNames = 16
        /// Refusals in that time, all addresses together.
        var refused = 512
        /// Entries that others may be joined to.
        var open = 32_768
    }

    /// An entry that waits, with what others are joined to it by.
    struct Item {
        let entry: HistoryEntry
        fileprivate let sequence: UInt64
        fileprivate let key: Key?
    }

    /// A stored entry that more has been counted in.
    struct Growth: Equatable {
        let id: Int64
        let count: Int64
        let until: Int64
    }

    /// What is written together.
    struct Batch {
        var items: [Item] = []
        var grown: [Growth] = []

        var isEmpty: Bool { items.isEmpty && grown.isEmpty }
        /// A change is among them: it must be on the disk before the batch counts as written.
        var holdsChange: Bool { items.contains { !$0.entry.kind.isAboutConnections } }
    }

    fileprivate struct Key: Hashable {
        var kind: HistoryKind
        var network: String?
        var user: String?
        var address: String?
        /// Of problems only: each is one of its own.
        var text: String?
    }

    /// The last entry of a key, which more is counted in.
    private struct Open {
        let since: Int64
        /// Which item it is, as long as it waits.
        var sequence: UInt64
        /// Entries of this key since then.
        var rows = 1
        /// Number of the entry once it is stored.
        var id: Int64?
        var count: Int64 = 1
        var until: Int64
        var hasGrown = false
    }

    private let limits: Limits
    private var connections = FIFO<Item>()
    private var changes = FIFO<Item>()
    private var nextSequence: UInt64 = 1
    private var open: [Key: Open] = [:]
    private var grown: Set<Key> = []
    private var refusedOf: [String?: Int] = [:]
    private var refused = 0
    private var nextExpiry: Int64 = 0
    private var leftOut: Int64 = 0

    init(_ limits: Limits = Limits()) { self.limits = limits }

    /// Entries that wait.
    var count: Int { connections.count + changes.count }
    /// True when entries wait or must be told of as left out.
    var hasEntries: Bool { count > 0 || leftOut > 0 }
    /// True when a change waits, or something to be told of as left out.
    var holdsChange: Bool { changes.count > 0 || leftOut > 0 }
    /// True when something was counted in stored entries.
    var hasGrown: Bool { !grown.isEmpty || !settled.isEmpty }

    // MARK: Adding

    /// Takes an entry.
    mutating func add(_ entry: HistoryEntry) {
        expire(entry.time)
        guard let own = Self.key(of: entry) else { return append(entry, nil) }
        let key = joined(own, at: entry.time)
        if var last = open[key], isRecent(last, entry.time) {
            if last.rows >= mostRows(entry.kind) {
                last.count += entry.count
                last.until = max(last.until, entry.time)
                last.hasGrown = true
                open[key] = last
                grown.insert(key)
                return
            }
            last.rows += 1
            last.sequence = nextSequence
            last.id = nil
            last.count = entry.count
            last.until = entry.time
            last.hasGrown = false
            open[key] = last
        } else {
            close(key)
            guard open.count < limits.open else { return append(entry, nil) }
            open[key] = Open(since: entry.time, sequence: nextSequence, count: entry.count, until: entry.time)
            if key.kind == .refused {
                refused += 1
                refusedOf[key.address, default: 0] += 1
            }
        }
        var entry = entry
        if key != own {
            entry.user = key.user
            entry.network = key.network
            entry.address = key.address
            entry.device = nil
            entry.text =
                key.address == nil ? "many names from many addresses were refused" : "many other names were refused"
        }
        append(entry, key)
    }

    private mutating func append(_ entry: HistoryEntry, _ key: Key?) {
        let item = Item(entry: entry, sequence: nextSequence, key: key)
        nextSequence += 1
        if entry.kind.isAboutConnections {
            connections.append(item)
        } else {
            changes.append(item)
        }
        trim()
    }

    private mutating func trim() {
        while connections.count > limits.connections, let item = connections.popFirst() { leaveOut(item) }
        while changes.count > limits.changes, let item = changes.popFirst() { leaveOut(item) }
    }

    private mutating func leaveOut(_ item: Item) {
        guard let key = item.key, let last = open[key], last.sequence == item.sequence else {
            leftOut += item.entry.count
            return
        }
        leftOut += last.count
        forget(key)
    }

    // MARK: Joining

    private static func key(of entry: HistoryEntry) -> Key? {
        if entry.kind.isAboutConnections {
            return Key(kind: entry.kind, network: entry.network, user: entry.user, address: entry.address)
        }
        guard entry.kind == .server, entry.result == HistoryEntry.problem else { return nil }
        return Key(kind: .server, text: entry.text)
    }

    /// The key under which an entry is counted: its own, or that of all further names of an address, or of all further
    /// refusals.
    private func joined(_ own: Key, at time: Int64) -> Key {
        guard own.kind == .refused, open[own] == nil else { return own }
        var key = own
        if refusedOf[key.address, default: 0] >= limits.refusedNames { key.user = nil }
        if refused >= limits.refused, open[key] == nil { key = Key(kind: .refused) }
        return key
    }

    private func mostRows(_ kind: HistoryKind) -> Int {
        switch kind {
        case .login, .closed: limits.logins
        default: 1
        }
    }

    /// A clock that was set back starts a new time.
    private func isRecent(_ last: Open, _ time: Int64) -> Bool {
        time >= last.since && time - last.since < limits.window
    }

    /// Keeps what was counted in the last entry of a key, which gets no more.
    private mutating func settle(_ key: Key) {
        guard let last = open[key], last.hasGrown, let id = last.id else { return }
        settled.append(Growth(id: id, count: last.count, until: last.until))
        grown.remove(key)
    }

    /// Counts of entries that are not open any more.
    private var settled: [Growth] = []

    private mutating func close(_ key: Key) {
        if let last = open[key], last.hasGrown, last.id == nil { leftOut += last.count - 1 }
        settle(key)
        forget(key)
    }

    private mutating func forget(_ key: Key) {
        grown.remove(key)
        guard open.removeValue(forKey: key) != nil, key.kind == .refused else { return }
        refused -= 1
        refusedOf[key.address, default: 0] -= 1
        if refusedOf[key.address] == 0 { refusedOf[key.address] = nil }
    }

    /// Closes what is old, now and then. What still waits with a count of its own stays open until it is stored.
    private mutating func expire(_ time: Int64) {
        guard time >= nextExpiry || time < nextExpiry - limits.window else { return }
        nextExpiry = time + limits.window / 20
        for (key, last) in open where !isRecent(last, time) && (last.id != nil || !last.hasGrown) { close(key) }
    }

    // MARK: Writing

    /// Takes what is to be written next, in the order it came.
    mutating func take(atMost count: Int, now: Int64) -> Batch {
        var batch = Batch()
        if leftOut > 0 {
            let notice = HistoryEntry(.server, at: now) {
                $0.result = "left out"
                $0.text = "logins and ends of connections came faster than they could be written"
                $0.count = leftOut
            }
            batch.items.append(Item(entry: notice, sequence: 0, key: nil))
            leftOut = 0
        }
        while batch.items.count < count {
            let isChange =
                switch (connections.first?.sequence, changes.first?.sequence) {
                case (let connection?, let change?): change < connection
                case (nil, .some): true
                default: false
                }
            guard let item = isChange ? changes.popFirst() : connections.popFirst() else { break }
            batch.items.append(item)
        }
        batch.grown = settled
        settled = []
        for key in grown {
            guard var last = open[key], let id = last.id else { continue }
            batch.grown.append(Growth(id: id, count: last.count, until: last.until))
            last.hasGrown = false
            open[key] = last
        }
        grown = grown.filter { open[$0]?.hasGrown == true }
        return batch
    }

    /// A batch was stored; `ids` are the numbers of its items.
    mutating func stored(_ batch: Batch, ids: [Int64]) {
        for (item, id) in zip(batch.items, ids) {
            guard let key = item.key, open[key]?.sequence == item.sequence else { continue }
            open[key]?.id = id
        }
    }

    /// A batch could not be stored: it waits again, before everything else.
    mutating func putBack(_ batch: Batch) {
        connections.prepend(batch.items.filter(\.entry.kind.isAboutConnections))
        changes.prepend(batch.items.filter { !$0.entry.kind.isAboutConnections })
        settled = batch.grown + settled
        if settled.count > limits.open { settled.removeFirst(settled.count - limits.open) }
        trim()
    }
}
