import ByteTools
import Crypto

/// One entry of an ESP-IDF partition table.
public struct Partition: Sendable, Equatable {
    /// What a partition is for: the type and subtype bytes of ESP-IDF (`esp_partition.h`).
    public struct Kind: Sendable, Equatable {
        /// 0 application, 1 data.
        public let type: UInt8
        /// Meaning depends on the type.
        public let subtype: UInt8

        /// A kind from its two bytes.
        public init(type: UInt8, subtype: UInt8) {
            self.type = type
            self.subtype = subtype
        }

        /// The slot of an updatable program, 0…15.
        public static func ota(_ slot: UInt8) -> Kind { Kind(type: 0, subtype: 0x10 + slot & 0x0F) }
        /// Which slot boots: two sectors.
        public static let otaData = Kind(type: 1, subtype: 0)
        /// Data of no format known to ESP-IDF; here the persistent blocks.
        public static let undefinedData = Kind(type: 1, subtype: 6)

        /// True for programs.
        public var isApplication: Bool { type == 0 }
        /// The slot number when this is an OTA slot.
        public var otaSlot: Int? { isApplication && subtype >> 4 == 1 ? Int(subtype & 15) : nil }
    }

    /// At most 15 bytes of printable ASCII.
    public let label: String
    /// What it is for.
    public let kind: Kind
    /// First byte in the flash.
    public let offset: Int
    /// Number of bytes.
    public let size: Int
    /// Bit 0: encrypted, bit 1: read-only.
    public let flags: UInt32

    /// An entry; checked when it becomes part of a table.
    public init(label: String, kind: Kind, offset: Int, size: Int, flags: UInt32 = 0) {
        self.label = label
        self.kind = kind
        self.offset = offset
        self.size = size
        self.flags = flags
    }
}

/// Why bytes are not a partition table this device can live with.
public enum PartitionTableError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Too short, or no entry at all.
    case empty
    /// The bytes at `offset` are neither an entry nor the end.
    case noEntry(offset: Int)
    /// No MD5 entry ends the table.
    case noChecksum
    /// The MD5 is another.
    case checksum
    /// More entries than fit.
    case tooMany
    /// An entry is wrong.
    case badEntry(label: String, reason: String)
    /// What an updatable device needs is not there.
    case missing(String)

    /// The reason for people.
    public var description: String {
        switch self {
        case .empty: "there is no partition table"
        case .noEntry(let offset): "byte \(offset) of the partition table starts no entry"
        case .noChecksum: "the partition table has no MD5 entry"
        case .checksum: "the MD5 of the partition table does not match its entries"
        case .tooMany: "a partition table holds at most \(PartitionTable.maximumEntries) entries"
        case .badEntry(let label, let reason): "partition '\(label)' \(reason)"
        case .missing(let what): "the partition table has no \(what)"
        }
    }
}

/// The partition table of ESP-IDF in its binary form: 32-byte entries (magic AA 50), an entry with the MD5 of those
/// before it (magic EB EB), ones up to 3072 bytes (ESP-IDF `esp_flash_partitions.h`, `gen_esp32part.py`).
public struct PartitionTable: Sendable, Equatable {
    /// Where it lies in the flash.
    public static let flashOffset = 0x8000
    /// Its size in bytes; the rest of its sector stays erased.
    public static let encodedSize = 0xC00
    /// Entries that fit beside the MD5 entry.
    public static let maximumEntries = encodedSize / 32 - 1
    /// Programs start at multiples of the MMU's page.
    public static let applicationAlignment = 0x10000

    /// The entries in the order of the table.
    public let partitions: [Partition]
    /// Size of the flash it was checked against.
    public let flashSize: Int

    /// Checks offsets, sizes, alignment and overlap.
    public init(_ partitions: [Partition], flashSize: Int) throws(PartitionTableError) {
        guard !partitions.isEmpty else { throw .empty }
        guard partitions.count <= Self.maximumEntries else { throw .tooMany }
        for partition in partitions {
            let alignment = partition.kind.isApplication ? Self.applicationAlignment : NORFlash.sectorSize
            func bad(_ reason: String) -> PartitionTableError { .badEntry(label: partition.label, reason: reason) }
            guard partition.label.utf8.count <= 15, !partition.label.isEmpty else { throw bad("needs 1 to 15 letters") }
            guard partition.offset >= Self.flashOffset + NORFlash.sectorSize else {
                throw bad("overlaps the boot loader or the table itself")
            }
            guard partition.offset % alignment == 0 else { throw bad("must start at a multiple of \(alignment)") }
            guard partition.size > 0, partition.size % NORFlash.sectorSize == 0 else {
                throw bad("must have whole sectors of \(NORFlash.sectorSize) bytes")
            }
            guard partition.size <= flashSize, partition.offset <= flashSize - partition.size else {
                throw bad("ends outside of the flash of \(flashSize) bytes")
            }
        }
        for (index, partition) in partitions.enumerated() {
            let others = partitions[..<index]
            if others.contains(where: { $0.label == partition.label }) {
                throw .badEntry(label: partition.label, reason: "is there twice")
            }
            if partition.kind == .otaData, others.contains(where: { $0.kind == .otaData }) {
                throw .badEntry(label: partition.label, reason: "is a second otadata partition")
            }
        }
        let sorted = partitions.sorted { $0.offset < $1.offset }
        for (a, b) in zip(sorted, sorted.dropFirst()) where a.offset + a.size > b.offset {
            throw .badEntry(label: b.label, reason: "overlaps '\(a.label)'")
        }
        self.partitions = partitions
        self.flashSize = flashSize
    }

    /// Reads the binary form.
    public init(parsing bytes: [UInt8], flashSize: Int) throws(PartitionTableError) {
        var found: [Partition] = []
        var offset = 0
        var checked = false
        while offset + 32 <= min(bytes.count, Self.encodedSize), !checked {
            switch (bytes[offset], bytes[offset + 1]) {
            case (0xAA, 0x50):
                let label = bytes.text(at: offset + 12, length: 16) ?? ""
                guard let start: UInt32 = bytes.number(at: offset + 4),
                    let size: UInt32 = bytes.number(at: offset + 8),
                    let flags: UInt32 = bytes.number(at: offset + 28)
                else { throw .empty }
                found.append(
                    Partition(
                        label: label, kind: .init(type: bytes[offset + 2], subtype: bytes[offset + 3]),
                        offset: Int(start), size: Int(size), flags: flags))
            case (0xEB, 0xEB):
                let digest = Insecure.MD5.hash(data: bytes[..<offset])
                guard digest.elementsEqual(bytes[offset + 16..<offset + 32]) else { throw .checksum }
                checked = true
            case (0xFF, 0xFF):
                throw found.isEmpty ? .empty : .noChecksum
            default:
                throw .noEntry(offset: offset)
            }
            offset += 32
        }
        guard checked else { throw found.isEmpty ? .empty : .noChecksum }
        try self.init(found, flashSize: flashSize)
    }

    /// The binary form, `encodedSize` bytes.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        for partition in partitions {
            bytes += [0xAA, 0x50, partition.kind.type, partition.kind.subtype]
            bytes.appendNumber(UInt32(partition.offset))
            bytes.appendNumber(UInt32(partition.size))
            bytes.appendText(partition.label, length: 16)
            bytes.appendNumber(partition.flags)
        }
        let digest = Insecure.MD5.hash(data: bytes)
        bytes += [0xEB, 0xEB] + [UInt8](repeating: 0xFF, count: 14) + digest
        return bytes + [UInt8](repeating: 0xFF, count: Self.encodedSize - bytes.count)
    }

    /// The first partition of a kind.
    public func first(_ kind: Partition.Kind) -> Partition? { partitions.first { $0.kind == kind } }

    /// The OTA slots by number; as ESP-IDF counts them they are 0, 1, … without a gap.
    public var otaSlots: [Partition] {
        let slots = partitions.filter { $0.kind.otaSlot != nil }
            .sorted { ($0.kind.otaSlot ?? 0) < ($1.kind.otaSlot ?? 0) }
        return Array(slots.enumerated().prefix { $0.offset == $0.element.kind.otaSlot }.map(\.element))
    }
}

extension PartitionTable {
    /// The table of the 4 MB modules: the layout of `default.csv` of the Arduino core with the file system's place given
    /// to the persistent blocks (1,507,328 bytes) and the unused NVS left out.
    public static func standard4MB() throws(PartitionTableError) -> PartitionTable {
        try PartitionTable(
            [
                Partition(label: "otadata", kind: .otaData, offset: 0xE000, size: 0x2000),
                Partition(label: "app0", kind: .ota(0), offset: 0x10000, size: 0x140000),
                Partition(label: "app1", kind: .ota(1), offset: 0x150000, size: 0x140000),
                Partition(label: "blocks", kind: .undefinedData, offset: 0x290000, size: 0x170000),
            ], flashSize: 4 << 20)
    }
}
