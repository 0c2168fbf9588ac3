import ByteTools

/// The two blocks that configure a device: network configuration (2) and node settings (11), as they are stored.
public struct ConfigurationContents: Equatable, Sendable {
    /// Block 2; nil when it has no value.
    public var network: [UInt8]?
    /// Block 11; nil when it has no value.
    public var settings: [UInt8]?

    /// Composes contents.
    public init(network: [UInt8]? = nil, settings: [UInt8]? = nil) {
        self.network = network
        self.settings = settings
    }
}

/// What a device writes down about a change of its configuration, so that a loss of power at any moment leaves it with the new
/// configuration proved, or with the old one. Persistent block 201.
public struct ConfigurationJournal: Equatable, Sendable {
    /// Where the change stands.
    public enum Phase: UInt8, Sendable {
        /// The configuration in the blocks proved itself, or was never changed. `kept` is the one before it.
        case inForce
        /// The blocks hold or are about to hold a new configuration that waits for a restart. `kept` is the last good one.
        case saved
        /// The device runs with the new configuration, which has not proved itself. `kept` is the last good one.
        case trial
        /// `kept` is being written back into the blocks.
        case restoring
        /// The last good configuration was put back.
        case putBack
        /// `wanted` is being written into the blocks. `kept` is the last good one.
        case switching
    }

    /// Where the change stands.
    public var phase: Phase
    /// Starts on trial so far.
    public var starts: UInt8
    /// What can be put back.
    public var kept: ConfigurationContents?
    /// What is being put in force.
    public var wanted: ConfigurationContents?
    /// Why it came so, for people.
    public var reason: String

    /// Composes a journal.
    public init(
        _ phase: Phase = .inForce, starts: UInt8 = 0, kept: ConfigurationContents? = nil,
        wanted: ConfigurationContents? = nil, reason: String = ""
    ) {
        self.phase = phase
        self.starts = starts
        self.kept = kept
        self.wanted = wanted
        self.reason = reason
    }

    private static let mark: UInt32 = 0x4A43_4F49  // "IOCJ"
    private static let absent = UInt32.max
    /// Longest reason, bytes.
    private static let longestReason = 160

    /// The value for the block: mark, phase, starts, reason, four optional values, CRC-32 of all that.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendNumber(Self.mark)
        bytes += [phase.rawValue, starts]
        // A text that is cut inside a character is repaired when it is read.
        Self.append(Array(reason.utf8.prefix(Self.longestReason)), to: &bytes)
        for contents in [kept, wanted] {
            bytes.append(contents == nil ? 0 : 1)
            Self.append(contents?.network, to: &bytes)
            Self.append(contents?.settings, to: &bytes)
        }
        bytes.appendNumber(CRC32.of(bytes))
        return bytes
    }

    private static func append(_ value: [UInt8]?, to bytes: inout [UInt8]) {
        bytes.appendNumber(value.map { UInt32($0.count) } ?? absent)
        bytes += value ?? []
    }

    /// Reads the value of the block; nil for anything that is not a whole journal.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count >= 10, bytes.number(at: 0, as: UInt32.self) == Self.mark,
            let checksum = bytes.number(at: bytes.count - 4, as: UInt32.self),
            CRC32.of(Array(bytes.dropLast(4))) == checksum, let phase = Phase(rawValue: bytes[4])
        else { return nil }
        var offset = 6
        let end = bytes.count - 4
        func value() -> [UInt8]?? {
            guard offset <= end - 4, let count = bytes.number(at: offset, as: UInt32.self) else { return .none }
            offset += 4
            if count == Self.absent { return .some(nil) }
            guard Int(count) <= end - offset else { return .none }
            defer { offset += Int(count) }
            return .some(Array(bytes[offset..<offset + Int(count)]))
        }
        func contents() -> ConfigurationContents?? {
            guard offset < end else { return .none }
            let isThere = bytes[offset] == 1
            offset += 1
            guard let network = value(), let settings = value() else { return .none }
            return .some(isThere ? ConfigurationContents(network: network, settings: settings) : nil)
        }
        guard let reason = value(), let kept = contents(), let wanted = contents(), offset == end else { return nil }
        self.init(
            phase, starts: bytes[5], kept: kept, wanted: wanted,
            reason: String(decoding: reason ?? [], as: UTF8.self))
    }
}
