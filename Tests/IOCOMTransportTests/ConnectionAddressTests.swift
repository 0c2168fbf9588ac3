import IOCOMTransport
import Testing

@Suite struct ConnectionAddressTests {
    @Test(arguments: [
        ("tls://frank", "tls://frank:6369"), ("tcp://frank.local/", "tcp://frank.local:6368"),
        ("tls://10.0.0.1:7000", "tls://10.0.0.1:7000"), ("tcp://[::1]", "tcp://[::1]:6368"),
        ("tls://[fe80::1%eth0]:0", "tls://[fe80::1%eth0]:0"),
    ])
    func `An address is written as it is read, with its port`(text: String, written: String) throws {
        let address = try ConnectionAddress(parsing: text)
        #expect(address.description == written)
        #expect(try ConnectionAddress(parsing: written) == address)
    }

    @Test(arguments: [
        "frank", "http://frank", "tls://", "tls://:6369", "tls://a b", "tls://a:b", "tls://a:65536", "tls://::1",
        "tls://[::1", "tls://[::1]x", "tls://root:pass@frank", "tls://frank/path", "tls://frank?x", "tls://frank#x",
    ])
    func `What is no address is refused`(text: String) {
        #expect(throws: ConnectionAddress.ParseError.self) { try ConnectionAddress(parsing: text) }
    }

    /// Found by the fuzz target AddressText: such hosts could not be read again from the text that was shown for them.
    @Test(arguments: [
        "tcp://[[\0]:9", "tcp://a[:9", "tcp://a]b", "tls://a\u{1B}[2Jb", "tls://a\u{7F}", "tls://[a[\u{301}]",
        "tcp://.\u{FFFD}\u{600}",
    ])
    func `What could join with the signs around it is no part of a host`(text: String) {
        #expect(throws: ConnectionAddress.ParseError.self) { try ConnectionAddress(parsing: text) }
    }

    @Test(arguments: [
        ("serial:///dev/ttyUSB0", "serial:///dev/ttyUSB0?baud=115200"),
        ("serial:///dev/serial/by-id/a_b:1.0?baud=9600", "serial:///dev/serial/by-id/a_b:1.0?baud=9600"),
        ("serial:///dev/ttyS1?parity=odd&baud=921600", "serial:///dev/ttyS1?baud=921600&parity=odd"),
        ("serial://COM4?baud=19200&parity=none", "serial://COM4?baud=19200"),
    ])
    func `A serial line is written as it is read, with its speed`(text: String, written: String) throws {
        let address = try ConnectionAddress(parsing: text)
        #expect(address.description == written)
        #expect(try ConnectionAddress(parsing: written) == address)
        #expect(!address.isLoopback)
    }

    @Test(arguments: [
        ("serial://", "path"), ("serial://ttyUSB0", "path"), ("serial:///", "path"), ("serial:///dev/a b", "path"),
        ("serial:///dev/\u{1B}[2J", "path"), ("serial://COM", "path"), ("serial:///dev/ttyS0?baud=12345", "9600"),
        ("serial:///dev/ttyS0?baud=", "115200"), ("serial:///dev/ttyS0?parity=mark", "none, odd or even"),
        ("serial:///dev/ttyS0?stop=2", "'stop' is unknown"),
    ])
    func `What is no serial line is refused with what would be one`(text: String, hint: String) {
        let error = #expect(throws: ConnectionAddress.ParseError.self) { try ConnectionAddress(parsing: text) }
        #expect(error?.description.contains(hint) == true, "\(error as Any)")
    }
}
