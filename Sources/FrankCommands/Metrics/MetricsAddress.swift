import ArgumentParser
import IOCOMTransport
import NIOCore

/// Where numbers are served: an address of this machine, given as a number, so that no name can lead elsewhere.
struct MetricsAddress: Sendable, Equatable {
    /// Port when none is given: the one that exporters use.
    static let usualPort = 9464

    let host: String
    let port: Int

    struct ParseError: Error, CustomStringConvertible {
        let description: String
    }

    init(parsing text: String) throws(ParseError) {
        let address: ConnectionAddress
        do throws(ConnectionAddress.ParseError) { address = try ConnectionAddress(parsing: "tcp://\(text)") } catch {
            throw ParseError(description: "'\(text)' is not an address; give one like 127.0.0.1:\(Self.usualPort)")
        }
        let host = address.host == "localhost" ? "127.0.0.1" : address.host
        guard address.isLoopback, (try? SocketAddress(ipAddress: host, port: address.port)) != nil else {
            throw ParseError(
                description:
                    "'\(text)' is not an address of this machine only; the numbers are served without a login, "
                    + "so use 127.0.0.1:\(Self.usualPort) or [::1]:\(Self.usualPort)")
        }
        self.host = host
        let isWritten = text.hasSuffix(":\(address.port)")
        port = isWritten ? address.port : Self.usualPort
    }
}
