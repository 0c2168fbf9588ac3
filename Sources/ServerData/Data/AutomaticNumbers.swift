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

    private struct Entry: Equatable {
        var id: [UInt8]
        var number: UInt32
    }

    /// Least recently seen first.
    private var entries: [Entry] = []
    /// Where the search for a free number goes on, so that a number is reused as late as possible.
    private var next = AutomaticNumber.first

    /// An empty table.
    public init() {}

    /// Number of devices remembered.
    public var count: Int { entries.count }

    /// The remembered number of a device.
    public func number(of id: [UInt8]) -> UInt32? { entries.first { $0.id == id }?.number }

    /// Gives a number to a device that just logged in.
    ///
    /// - Parameters:
    ///   - id: its unique id, 12 bytes. Nil, another length or all zeros mean none: the number is not remembered then.
    ///   - isInUse: tells whether a connected device has this number.
    /// - Returns: The number; nil when all are in use. A known device whose number is in use gets another for this
    ///   connection and keeps its own for later.
    public mutating func assign(to id: [UInt8]?, isInUse: (UInt32) -> Bool) -> UInt32? {
        let id = id.flatMap { $0.count == Self.uniqueIDBytes && $0.contains { $0 != 0 } ? $0 : nil }
        if let index = entries.firstIndex(where: { $0.id == id }) {
            let entry = entries.remove(at: index)
            entries.append(entry)
            return isInUse(entry.number) ? free(isInUse) : entry.number
        }
        guard let number = free(isInUse) else { return nil }
        if let id {
            entries.removeAll { $0.number == number }
            if entries.count >= Self.capacity { entries.removeFirst() }
            entries.append(Entry(id: id, number: number))
        }
        return number
    }

    /// The next number nobody uses: one that is not remembered either, and only if there is none such, a remembered one.
    private mutating func free(_ isInUse: (UInt32) -> Bool) -> UInt32? {
        let remembered = Set(entries.map(\.number))
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

/// The bytes of block 12: "IOan", format 1, number of entries (2 bytes), next number (4), then per entry unique id (12) and
/// number (4), CRC-16 of all before it (2). All numbers low byte first.
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
        bytes.appendLittleEndian(UInt32(entries.count), count: 2)
        bytes.appendLittleEndian(next, count: 4)
        for entry in entries {
            bytes += entry.id
            bytes.appendLittleEndian(entry.number, count: 4)
        }
        bytes.appendLittleEndian(UInt32(CRC16.of(bytes)), count: 2)
        return bytes
    }

    /// Reads stored bytes. No bytes are an empty table.
    ///
    /// - Throws: ``Damage``; go on with an empty table then.
    public init(bytes: [UInt8]) throws(Damage) {
        self.init()
        guard !bytes.isEmpty else { return }
        guard bytes.count >= Self.headerBytes + 2, bytes.count <= Self.mostBytes, bytes.starts(with: Self.magic) else {
            throw .format
        }
        let count = Int(bytes.littleEndian(at: 5, count: 2))
        guard bytes.count == Self.headerBytes + count * Self.entryBytes + 2 else { throw .format }
        guard CRC16.of(Array(bytes.dropLast(2))) == UInt16(bytes.littleEndian(at: bytes.count - 2, count: 2)) else {
            throw .checksum
        }
        let range = AutomaticNumber.first...AutomaticNumber.last
        let next = bytes.littleEndian(at: 7, count: 4)
        guard range.contains(next) else { throw .entry }
        var ids = Set<[UInt8]>()
        var numbers = Set<UInt32>()
        var read: [Entry] = []
        for index in 0..<count {
            let start = Self.headerBytes + index * Self.entryBytes
            let id = Array(bytes[start..<start + Self.uniqueIDBytes])
            let number = bytes.littleEndian(at: start + Self.uniqueIDBytes, count: 4)
            guard range.contains(number), ids.insert(id).inserted, numbers.insert(number).inserted,
                id.contains(where: { $0 != 0 })
            else { throw .entry }
            read.append(Entry(id: id, number: number))
        }
        entries = read
        self.next = next
    }
}

extension [UInt8] {
    fileprivate mutating func appendLittleEndian(_ value: UInt32, count: Int) {
        for i in 0..<count { append(UInt8(truncatingIfNeeded: value >> UInt32(8 * i))) }
    }

    /// `index + count` must be inside the array.
    fileprivate func littleEndian(at index: Int, count: Int) -> UInt32 {
        (0..<count).reduce(0) { $0 | UInt32(self[index + $1]) << UInt32(8 * $1) }
    }
}
