internal import IOCOM
public import PackedJSON

/// What is accepted of another node's description of itself. The largest of the original's devices has some 150 signals.
public struct DeviceInfoLimits: Sendable, Equatable {
    /// The packed document.
    public var document = JSONLimits(bytes: 1 << 20, depth: 16, items: 100_000, textBytes: 4 << 20)
    /// Memory blocks.
    public var blocks = 64
    /// Groups in one block.
    public var groups = 256
    /// Signals in one block.
    public var signals = 4096
    /// Assemblies.
    public var assemblies = 64
    /// Bytes of one block, and so the end of its last signal.
    public var blockSize = Limit.largestBlock

    /// The default limits.
    public init() {}

    /// The default limits.
    public static let standard = DeviceInfoLimits()
}

/// Things that have names, with the longest name each may have (application-layer.md 1.1).
public enum NamedThing: String, Sendable {
    case device
    case block
    case group
    case signal
    case assembly

    /// Bytes of the longest name.
    public var limit: Int {
        switch self {
        case .device, .block: 15
        case .signal: 31
        // The protocol sets no limit for names that are only shown.
        case .group, .assembly: 63
        }
    }
}

extension DeviceInfoLimits {
    /// Longest unit; a longer one is not shown.
    static let unitBytes = 31

    /// Names are printed to terminals, so control characters, which could command them, are refused.
    static func isPrintable(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }

    func checkName(_ name: String, _ thing: NamedThing) throws(DeviceInfoError) {
        guard !name.isEmpty else { throw .missingName(thing) }
        guard name.utf8.count <= thing.limit else { throw .nameTooLong(thing, bytes: name.utf8.count) }
        guard Self.isPrintable(name) else { throw .unprintableName(thing) }
    }
}
