import NIOCore
import NIOPosix

/// Groups, port and times of the announcements (application-layer.md 9.1).
enum DiscoveryGroup {
    static let port = 6368
    /// Before the first announcement.
    static let firstDelay = Duration.milliseconds(200)
    /// Between announcements.
    static let interval = Duration.seconds(4)
    /// Before a socket is opened again after an error, and between looks for new interfaces.
    static let reopening = Duration.seconds(5)

    static func address(isIPv6: Bool) throws -> SocketAddress {
        try SocketAddress(ipAddress: isIPv6 ? "ff08::ef3f:443f" : "239.63.68.63", port: port)
    }

    /// A socket option with a number.
    static func option(
        _ level: NIOBSDSocket.OptionLevel, _ name: NIOBSDSocket.Option
    ) -> ChannelOptions.Types.SocketOption {
        ChannelOptions.Types.SocketOption(level: level, name: name)
    }
}

#if os(Linux)
extension NIOBSDSocket.Option {
    /// IP_MULTICAST_ALL of Linux: whether a socket also gets what others joined.
    static let ipMulticastAll = NIOBSDSocket.Option(rawValue: 49)
    /// IPV6_MULTICAST_ALL of Linux.
    static let ipv6MulticastAll = NIOBSDSocket.Option(rawValue: 29)
}
#endif
