import IOCOMTransport
import NIOCore

/// Connects to this server itself: shows that it accepts connections, and over TLS with a certificate that its own CA signed.
/// Confined to the loop.
final class AcceptProbe: ByteLinkReader {
    private let done: () -> Void
    private var keep: AcceptProbe?

    private init(_ done: @escaping () -> Void) { self.done = done }

    /// Calls `done` when a connection to `address` came to be; else never.
    static func run(
        _ address: ConnectionAddress, trustFile: String, on loop: any EventLoop, done: @escaping () -> Void
    ) {
        var address = address
        if address.host == "0.0.0.0" { address.host = "127.0.0.1" }
        if address.host == "::" { address.host = "::1" }
        var tls: TLSClient?
        if address.transport == .tls {
            // A new program has not failed because a certificate ended.
            tls = try? TLSClientSettings(trustFile: trustFile, verifiesHostName: false, allowsExpired: true)
                .makeClient()
        }
        let probe = AcceptProbe(done)
        probe.keep = probe
        let bound = NIOLoopBound(probe, eventLoop: loop)
        Dialer.connect(to: address, tls: tls, on: loop, reader: probe).whenFailure { _ in bound.value.keep = nil }
    }

    func opened(_ link: ByteLink) {
        done()
        link.close()
    }

    func received(_ bytes: ByteBuffer, on link: ByteLink) {}
    func becameWritable(_ link: ByteLink) {}
    func closed(_ link: ByteLink, error: (any Error)?) { keep = nil }
}
