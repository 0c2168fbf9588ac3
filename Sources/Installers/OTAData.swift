import ByteTools
public import DeviceStorage

/// State of a program in an otadata entry (`esp_ota_img_states_t`).
public struct OTAState: RawRepresentable, Sendable, Equatable, CustomStringConvertible {
    /// Number on the flash.
    public let rawValue: UInt32
    /// Any number can be on a flash after a cut.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Written and selected, never started.
    public static let new = OTAState(rawValue: 0)
    /// Started once and not confirmed; if it is found at the next start the program is given up.
    public static let pendingVerify = OTAState(rawValue: 1)
    /// Confirmed.
    public static let valid = OTAState(rawValue: 2)
    /// Said of itself that it does not work.
    public static let invalid = OTAState(rawValue: 3)
    /// Restarted before it confirmed.
    public static let aborted = OTAState(rawValue: 4)
    /// Written by a tool that knows no states.
    public static let undefined = OTAState(rawValue: 0xFFFF_FFFF)

    /// Name for people.
    public var description: String {
        switch self {
        case .new: "new"
        case .pendingVerify: "pending verify"
        case .valid: "valid"
        case .invalid: "invalid"
        case .aborted: "aborted"
        case .undefined: "undefined"
        default: hexadecimal(rawValue)
        }
    }
}

/// One entry of otadata, `esp_ota_select_entry_t` (ESP-IDF `esp_flash_partitions.h`): sequence (4), label (20),
/// state (4), CRC-32 of the sequence (4).
public struct OTAEntry: Sendable, Equatable {
    /// Bytes on the flash.
    public static let size = 32
    /// Bytes of the label.
    public static let labelSize = 20

    /// The larger one boots; slot = (sequence - 1) mod number of slots. All ones: erased.
    public var sequence: UInt32
    /// Unused by ESP-IDF. Here the first bytes of the SHA-256 of the image the entry stands for, so that an image that
    /// only got the slot later is not taken for one that was proved; all ones when not known.
    public var label: [UInt8]
    /// State of the program.
    public var state: OTAState
    /// CRC as found.
    public var crc: UInt32

    /// An entry with its right CRC.
    public init(sequence: UInt32, state: OTAState, imageDigest: [UInt8]? = nil) {
        self.sequence = sequence
        label = imageDigest.map { Self.label(for: $0) } ?? Self.noLabel
        self.state = state
        crc = Self.crc(of: sequence)
    }

    /// Reads 32 bytes; nil when there are fewer.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count >= Self.size, let sequence: UInt32 = bytes.number(at: 0),
            let state: UInt32 = bytes.number(at: 24), let crc: UInt32 = bytes.number(at: 28)
        else { return nil }
        self.sequence = sequence
        label = Array(bytes[4..<24])
        self.state = OTAState(rawValue: state)
        self.crc = crc
    }

    /// The 32 bytes.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendNumber(sequence)
        bytes += label
        bytes.appendNumber(state.rawValue)
        bytes.appendNumber(crc)
        return bytes
    }

    /// Checksum of a sequence number as the boot loader computes it.
    public static func crc(of sequence: UInt32) -> UInt32 {
        var bytes: [UInt8] = []
        bytes.appendNumber(sequence)
        return CRC32.of(bytes, seed: 0xFFFF_FFFF)
    }

    private static let noLabel = [UInt8](repeating: 0xFF, count: labelSize)
    private static func label(for digest: [UInt8]) -> [UInt8] {
        let start = digest.prefix(labelSize)
        return Array(start) + noLabel.dropFirst(start.count)
    }

    /// True when sequence and CRC belong together, whatever the state. Sequence 0 belongs to no slot.
    public var isWhole: Bool { sequence != .max && sequence != 0 && crc == Self.crc(of: sequence) }
    /// Rejected by the boot loader without a look at the CRC (`bootloader_common_ota_select_invalid`).
    public var isRejected: Bool { sequence == .max || state == .invalid || state == .aborted }
    /// May boot (`bootloader_common_ota_select_valid`).
    public var mayBoot: Bool { !isRejected && isWhole }

    /// The slot it stands for.
    public func slot(of count: Int) -> Int? { isWhole && count > 0 ? Int(sequence - 1) % count : nil }

    /// False when the entry was written for another image than the one with `digest`.
    public func standsFor(imageDigest digest: [UInt8]) -> Bool {
        label == Self.noLabel || label == Self.label(for: digest)
    }
}

/// The two entries of otadata, each in its own sector, and the choice between them.
public struct OTAData: Sendable, Equatable {
    /// Both entries as found.
    public private(set) var entries: [OTAEntry]
    /// Number of slots in the partition table.
    public let slotCount: Int

    /// Reads both sectors.
    public init(_ region: FlashRegion, slotCount: Int) throws(FlashError) {
        var entries: [OTAEntry] = []
        for index in 0..<2 {
            let bytes = try region.bytes(at: index * NORFlash.sectorSize, count: OTAEntry.size)
            // The count is right, so there is always an entry.
            if let entry = OTAEntry(parsing: bytes) { entries.append(entry) }
        }
        self.init(entries, slotCount: slotCount)
    }

    init(_ entries: [OTAEntry], slotCount: Int) {
        self.entries = entries
        self.slotCount = slotCount
    }

    /// Index of the entry that decides; nil when none may boot. With equal numbers it is the first, as in ESP-IDF.
    public var active: Int? {
        let candidates = entries.indices.filter { entries[$0].mayBoot }
        return candidates.max { (entries[$0].sequence, $1) < (entries[$1].sequence, $0) }
    }

    /// The slot that `active` stands for.
    public var activeSlot: Int? { active.flatMap { entries[$0].slot(of: slotCount) } }

    /// Index of the newest entry for a slot, whatever its state.
    public func entry(for slot: Int) -> Int? {
        let candidates = entries.indices.filter { entries[$0].slot(of: slotCount) == slot }
        return candidates.max { (entries[$0].sequence, $1) < (entries[$1].sequence, $0) }
    }

    /// Lowest sequence above `sequence` that stands for `slot`; nil when the numbers are used up.
    public func sequence(for slot: Int, above sequence: UInt32) -> UInt32? {
        guard slotCount > 0 else { return nil }
        for step in 1...UInt32(slotCount) {
            let (next, overflow) = sequence.addingReportingOverflow(step)
            guard !overflow, next != .max else { return nil }
            if Int(next - 1) % slotCount == slot { return next }
        }
        return nil
    }

    /// Replaces an entry on the flash: erase, write all but the CRC, write the CRC. Without its CRC an entry does not
    /// count, so a cut leaves it either complete or absent, and the other entry is in its own sector.
    public mutating func replace(_ index: Int, with entry: OTAEntry, in region: FlashRegion) throws(FlashError) {
        let place = index * NORFlash.sectorSize
        let bytes = entry.encoded
        try region.eraseSector(at: place)
        try region.write(at: place, Array(bytes.dropLast(4)))
        try region.device.sync()
        try region.write(at: place + OTAEntry.size - 4, Array(bytes.suffix(4)))
        try region.device.sync()
        guard try region.bytes(at: place, count: OTAEntry.size) == bytes else {
            throw .device(StorageFailure("the otadata sector at \(hexadecimal(region.offset + place)) keeps no data"))
        }
        entries[index] = entry
    }
}
