/// Full name of a memory block: block, device, number and network (application-layer.md 1.1).
public struct BlockPath: Hashable, Sendable {
    /// Block name such as `conf_exp`.
    public var block: BlockName
    /// Device it belongs to.
    public var device: DevicePath

    /// Composes a path.
    public init(block: BlockName, device: DevicePath) {
        self.block = block
        self.device = device
    }
}

/// Name of a device in its network: `candy3.cafenet`.
public struct DevicePath: Hashable, Sendable {
    /// Device name without number.
    public var name: DeviceName
    /// Device number; see ``AutomaticNumber`` for the reserved ones.
    public var number: UInt32
    /// IO network.
    public var network: NetworkName

    /// Composes a path.
    public init(name: DeviceName, number: UInt32, network: NetworkName) {
        self.name = name
        self.number = number
        self.network = network
    }
}

/// Reserved device numbers (wire-protocol.md 3.6).
public enum AutomaticNumber {
    /// "Please number me", sent by a device.
    public static let request: UInt32 = 9000
    /// "You, the automatically numbered one", sent back to that device by its server.
    public static let reply: UInt32 = 8999
    /// First number a server hands out.
    public static let first: UInt32 = 9001
    /// Last number a server hands out before it starts over.
    public static let last: UInt32 = 39999
}

#if !hasFeature(Embedded)
extension DevicePath: CustomStringConvertible {
    /// `candy3.cafenet`.
    public var description: String { "\(name)\(number).\(network)" }

    /// Parses `candy3.cafenet`: letters and underscores, digits, a dot, the network. Nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let network = NetworkName(String(parts[1])), !network.isEmpty else { return nil }
        let name = parts[0].prefix { !$0.isASCII || !$0.isNumber }
        let digits = parts[0].dropFirst(name.count)
        guard let device = DeviceName(String(name)), !device.isEmpty, !digits.isEmpty,
            digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt32(digits)
        else { return nil }
        self.init(name: device, number: number, network: network)
    }
}

extension BlockPath: CustomStringConvertible {
    /// `conf_exp.candy3.cafenet`.
    public var description: String { "\(block).\(device)" }
}
#endif
