internal import ByteTools
internal import IOCOM

/// The server's table of automatically given device numbers (wire-protocol.md 3.6), kept in persistent block 12.
///
/// A device that sends its unique id gets the number it had before. The table remembers ``capacity`` devices (the
/// original 5) and forgets the one that was away longest. A unique id is no secret (wire-protocol.md 11, 14): a number
/// that is in use is never handed out a second time, so nobody takes over the number of a connected device. A server
/// that knows the old connection to be dead closes it first and asks then.
public struct AutomaticNumbers: Equatable, Sendable {
    /// Devices remembered.
    public static let capacity = 4096
    /// Bytes of a unique id.
    public static let uniqueIDBytes = 12

    private struct Entry {
        var number: UInt32
        var lastSeen: UInt64
    }

    private var entries: [[UInt8]: Entry] = [:]
    private var remembered: Set<UInt32> = []
    /// Counts logins: orders the entries by when they were last seen.
    private var logins: UInt64 = 0
    /// Where the search for a free number goes on, so that a number is reused as late as possible.
    private var next = AutomaticNumber.first

    /// An empty table.
    public init() {}

    /// Number of devices remembered.
    public var count: Int { entries.count }

    /// The remembered number of a device.
    public func number(of id: [UInt8]) -> UInt32? { entries[id]?.number }

    /// The same devices with the same numbers in the same order of being seen.
    public static func == (a: Self, b: Self) -> Bool { a.bytes == b.bytes }

    /// Gives a number to a device that just logged in.
    ///
    /// - Parameters:
    ///   - id: its unique id, 12 bytes. Nil, another length or all zeros mean none: the number is not remembered then.
    ///   - isInUse: tells whether a connected device has this number.
    /// - Returns: The number; nil when all are in use. A known device whose number is in use gets another for this
    ///   connection and keeps its own for later.
    public mutating func assign(to id: [UInt8]?, isInUse: (UInt32) -> Bool) -> UInt32? {
        let id = id.flatMap { $0.count == Self.uniqueIDBytes && $0.contains { $0 != 0 } ? $0 : nil }
        logins &+= 1
        if let id, let known = entries[id]?.number {
            entries[id]?.lastSeen = logins
            return isInUse(known) ? free(isInUse) : known
        }
        guard let number = free(isInUse) else { return nil }
        if let id {
            if remembered.contains(number) { forget { $0.number == number } }
            if entries.count >= Self.capacity, let oldest = entries.values.map(\.lastSeen).min() {
                forget { $0.lastSeen == oldest }
            }
            remember(id, number)
        }
        return number
    }

    private mutating func remember(_ id: [UInt8], _ number: UInt32) {
        entries[id] = Entry(number: number, lastSeen: logins)
        remembered.insert(number)
    }

    private mutating func forget(_ isMeant: (Entry) -> Bool) {
        guard let (id, entry) = entries.first(where: { isMeant($0.value) }) else { return }
        entries[id] = nil
        remembered.remove(entry.number)
    }

    /// The next number nobody uses: one that is not remembered either, and only if there is none such, a remembered one.
    private mutating func free(_ isInUse: (UInt32) -> Bool) -> UInt32? {
        var fallback: UInt32?
        for _ in AutomaticNumber.first...AutomaticNumber.last {
            let number = next
            next = number >= AutomaticNumber.last ? AutomaticNumber.first : number + 1
            guard !isInUse(number) else { continue }
            guard remembered.contains(number) else { return number }
            fallback = fallback ?? number
        }
        return fallback
    }
}

/// The bytes of block 12: "IOan", format 1, number of entries (2 bytes), next number (4), then per entry, the one seen
/// longest ago first, unique id (12) and number (4), CRC-16 of all before it (2). All numbers low byte first.
extension AutomaticNumbers {
    private static let magic = Array("IOan".utf8) + [1]
    private static let headerBytes = 11
    private static let entryBytes = 16

    /// Most bytes of a table.
    public static let mostBytes = headerBytes + capacity * entryBytes + 2

    /// Why a table could not be read.
    public enum Damage: Error, Equatable, CustomStringConvertible {
        /// Not a table of ours, or cut.
        case format
        /// The checksum does not fit.
        case checksum
        /// A number outside 9001…39999, or the same number or device twice.
        case entry

        /// For people.
        public var description: String {
            let cause =
                switch self {
                case .format: "it has not the form of such a table"
                case .checksum: "its checksum is wrong"
                case .entry: "it holds an impossible entry"
                }
            return "the table of automatic device numbers (block 12) was not read because \(cause); "
                + "devices with automatic numbers may get new ones"
        }
    }

    /// The bytes to store.
    public var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.appendNumber(UInt16(truncatingIfNeeded: entries.count))
        bytes.appendNumber(next)
        for (id, entry) in entries.sorted(by: { $0.value.lastSeen < $1.value.lastSeen }) {
            bytes += id
            bytes.appendNumber(entry.number)
        }
        bytes.appendNumber(CRC16.of(bytes))
        return bytes
    }

    /// Reads stored bytes. No bytes are an empty table.
    ///
    /// - Throws: ``Damage``; go on with an empty table then.
    public init(bytes: [UInt8]) throws(Damage) {
        self.init()
        guard !bytes.isEmpty else { return }
        guard bytes.count <= Self.mostBytes, bytes.starts(with: Self.magic), let count: UInt16 = bytes.number(at: 5),
            bytes.count == Self.headerBytes + Int(count) * Self.entryBytes + 2,
            let next: UInt32 = bytes.number(at: 7), let checksum: UInt16 = bytes.number(at: bytes.count - 2)
        else { throw .format }
        guard CRC16.of(Array(bytes.dropLast(2))) == checksum else { throw .checksum }
        let range = AutomaticNumber.first...AutomaticNumber.last
        guard range.contains(next) else { throw .entry }
        for index in 0..<Int(count) {
            let start = Self.headerBytes + index * Self.entryBytes
            let id = Array(bytes[start..<start + Self.uniqueIDBytes])
            guard let number: UInt32 = bytes.number(at: start + Self.uniqueIDBytes), range.contains(number),
                id.contains(where: { $0 != 0 }), entries[id] == nil,
                !remembered.contains(number)
            else { throw .entry }
            logins &+= 1
            remember(id, number)
        }
        self.next = next
    }
}
