public import NIOCore
import NIOPosix

/// On which interfaces of this machine servers announce themselves or are looked for.
public enum InterfaceChoice: Equatable, Sendable {
    /// All that can multicast, and loopback, which can though it does not always say so.
    case all
    /// These.
    case named([String])
}

/// An address of an interface of this machine.
public struct LocalAddress: Hashable, Sendable {
    /// Name of the interface.
    public var interface: String
    /// Number of the interface.
    public var index: Int
    /// The address, port 0.
    public var address: SocketAddress
    /// What the system says of it.
    var device: NIONetworkDevice?

    /// Composes an address.
    public init(interface: String, index: Int, address: SocketAddress) {
        self.interface = interface
        self.index = index
        self.address = address
    }

    /// IPv6, else IPv4.
    public var isIPv6: Bool { address.protocol == .inet6 }
    /// Numeric, without a zone.
    public var host: String { address.ipAddress ?? "" }
    /// Of this machine only.
    public var isLoopback: Bool { host == "::1" || host.hasPrefix("127.") }
    /// IPv6 that is good on one link only.
    public var isLinkLocal: Bool { isIPv6 && host.lowercased().hasPrefix("fe80:") }
}

/// The interfaces of this machine at a moment.
enum LocalAddresses {
    /// The addresses of the chosen interfaces. Waits for the system, so not for an event loop.
    ///
    /// - Throws: ``DiscoveryError/interface(_:known:)`` for a name that no interface has.
    static func list(_ choice: InterfaceChoice) throws -> [LocalAddress] {
        let devices = try System.enumerateDevices()
        if case .named(let names) = choice {
            let known = Set(devices.map(\.name))
            if let missing = names.first(where: { !known.contains($0) }) {
                throw DiscoveryError.interface(missing, known: known.sorted())
            }
        }
        return devices.compactMap { device in
            guard var address = device.address, address.protocol != .unix else { return nil }
            address.port = 0
            var local = LocalAddress(interface: device.name, index: device.interfaceIndex, address: address)
            local.device = device
            switch choice {
            case .all: return device.multicastSupported || local.isLoopback ? local : nil
            case .named(let names): return names.contains(device.name) ? local : nil
            }
        }
    }

    /// The same from a task.
    static func current(_ choice: InterfaceChoice) async throws -> [LocalAddress] {
        try await NIOThreadPool.singleton.runIfActive { try list(choice) }
    }
}
