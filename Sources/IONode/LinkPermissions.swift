public import IOCOM

/// What a connection may see and bring. Every block that is announced to, or taken from, a connection is checked here
/// and nowhere else: nothing of a network reaches a connection that is not allowed in it.
public struct LinkPermissions: Sendable {
    /// Which devices' blocks a connection may bring.
    public enum Brings: Sendable, Equatable {
        /// None (an operator).
        case nothing
        /// Those of one device; its number is assigned when it is the automatic one.
        case device(name: DeviceName, number: UInt32)
        /// Any device of the networks (plain connections, servers below).
        case anyDevice
    }

    /// Networks; nil allows all.
    public var networks: Set<NetworkName>?
    /// Devices it may bring.
    public var brings: Brings
    /// How many blocks it may bring; nil for as many as the node's limits allow.
    public var blocks: Int?
    /// Blocks that are not shown on the connection although their networks are (a server's accounts).
    public var isHidden: @Sendable (BlockPath) -> Bool

    /// Composes permissions.
    public init(
        networks: Set<NetworkName>?, brings: Brings, blocks: Int? = nil,
        isHidden: @escaping @Sendable (BlockPath) -> Bool = { _ in false }
    ) {
        self.blocks = blocks
        self.networks = networks
        self.brings = brings
        self.isHidden = isHidden
    }

    /// Everything, as the original allows on plain connections (application-layer.md 7.4).
    public static let everything = LinkPermissions(networks: nil, brings: .anyDevice)

    /// True when blocks of this network may pass.
    public func allows(_ network: NetworkName) -> Bool { networks?.contains(network) ?? true }

    /// True when the connection may see this block.
    public func maySee(_ block: BlockPath) -> Bool { allows(block.device.network) && !isHidden(block) }

    /// True when the connection may bring this device. `number` is the one on the wire.
    public func mayBring(_ device: DevicePath) -> Bool {
        guard allows(device.network) else { return false }
        switch brings {
        case .nothing: return false
        case .anyDevice: return true
        case .device(let name, let number):
            let isAutomatic = number == 0 || number >= AutomaticNumber.request
            return device.name == name
                && (device.number == number || (isAutomatic && device.number == AutomaticNumber.request))
        }
    }
}
