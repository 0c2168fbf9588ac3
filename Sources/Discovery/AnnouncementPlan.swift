import IOCOM
import IOCOMTransport
import NIOCore

/// What is announced from which address of this machine.
///
/// An address that a server listens on is announced from that address only, so that loopback stays on loopback; one that
/// stands for all (`0.0.0.0`, `::`) is announced on all interfaces.
public struct AnnouncementPlan: Sendable {
    /// One address and what is served there.
    public struct Place: Hashable, Sendable {
        /// From where.
        public var address: LocalAddress
        /// What is reached there.
        public var endPoints: [EndPoint]
    }

    /// A listener with a numeric address.
    struct Listening: Sendable {
        let transport: ConnectionAddress.Transport
        let host: String
        let port: UInt16

        /// Resolves a host name. Waits for the system, so not for an event loop.
        init(_ address: ConnectionAddress) throws {
            transport = address.transport
            port = UInt16(clamping: address.port)
            host = try SocketAddress.makeAddressResolvingHost(address.host, port: address.port).ipAddress ?? ""
        }

        /// True when a client that connects to `local` comes to this listener.
        func serves(_ local: LocalAddress) -> Bool {
            switch host {
            // A socket for all addresses of IPv6 takes IPv4 too.
            case "::": true
            case "0.0.0.0": !local.isIPv6
            default: host == local.host
            }
        }

        var isForAll: Bool { host == "::" || host == "0.0.0.0" }
    }

    let listening: [Listening]

    /// The places among `addresses`: each address with a listener of its own, and for those that stand for all one address
    /// for each interface and family.
    func places(_ addresses: [LocalAddress]) -> [Place] {
        struct Side: Hashable {
            let interface: String
            let isIPv6: Bool
        }
        var chosen: [Side: LocalAddress] = [:]
        // A global address before one that is good on its link only.
        for address in addresses {
            let side = Side(interface: address.interface, isIPv6: address.isIPv6)
            if let other = chosen[side], !other.isLinkLocal || address.isLinkLocal { continue }
            chosen[side] = address
        }
        return addresses.compactMap { address in
            let isChosen = chosen[Side(interface: address.interface, isIPv6: address.isIPv6)] == address
            let points = [ConnectionAddress.Transport.tls, .tcp].compactMap { transport in
                listening.first {
                    $0.transport == transport && $0.serves(address) && (isChosen || !$0.isForAll)
                }.map { EndPoint(.init(isSecure: transport == .tls, isIPv6: address.isIPv6), port: $0.port) }
            }
            return points.isEmpty ? nil : Place(address: address, endPoints: points)
        }
    }

    /// The texts that name all networks: as many as it takes when they do not fit into one.
    static func texts(
        nickname: Nickname, networks: [NetworkName], endPoints: [EndPoint]
    ) throws(AnnouncementError) -> [PublishText] {
        let ports = ports(endPoints)
        var texts: [PublishText] = []
        for network in networks {
            let item = PublishText.Network(network, endPoints)
            if var last = texts.last {
                last.networks.append(item)
                if try last.formatted(ports: ports).count < Announcement.longestText {
                    texts[texts.count - 1] = last
                    continue
                }
            }
            let text = PublishText(nickname: nickname, networks: [item])
            guard try text.formatted(ports: ports).count < Announcement.longestText else { throw .tooLong }
            texts.append(text)
        }
        return texts
    }

    /// The ports of the header: those of the end points, so that marks need no numbers.
    static func ports(_ endPoints: [EndPoint]) -> PublishText.Ports {
        PublishText.Ports(
            tls: endPoints.first { $0.mark.isSecure }?.port ?? 0,
            plain: endPoints.first { !$0.mark.isSecure }?.port ?? 0)
    }
}
