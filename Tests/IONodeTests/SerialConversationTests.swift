import Foundation
import Glibc
import IOCOM
import IOCOMTestSupport
import IOCOMTransport
import IONode
import NIOCore
import NIOPosix
import Testing

private let serverAuth = hex("00 3E E5 20 13 60 00 02 00 06 73 65 72 76 65 72 00 07 63 61 66 65 6E 65 74 00")
private let deviceAuth = hex("00 D2 23 20 11 60 00 02 10 04 67 69 6E 61 01 07 63 61 66 65 6E 65 74 00")
private let expInfo = hex("01 A2 59 20 16 08 00 01 C0 01 20 0A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70")
private let keyFrame = hex("03 34 7A 12 05 08 00 03 03 34 12 1D")
private let deltaFrame = hex("04 FD 95 11 01 08 01 01")

/// A node that takes everybody and everything, on a loop of its own.
private final class Bench: NodeRole, @unchecked Sendable {
    // All of it is used on the loop only.
    private var made: Node?
    var node: Node {
        made ?? Node(identity: NodeIdentity(name: "", number: 0, network: ""), isDynamic: false, on: loop)
    }
    private var listener: Listener?
    private(set) var events: [String] = []

    let loop = MultiThreadedEventLoopGroup.singleton.next()

    func on<Value: Sendable>(_ body: @escaping @Sendable (Bench) throws -> Value) async throws -> Value {
        try await loop.submit { try body(self) }.get()
    }

    func start(_ name: UserName, number: UInt32, isDynamic: Bool) async throws {
        try await on { bench in
            let identity = NodeIdentity(name: name, number: number, network: "cafenet")
            let node = Node(identity: identity, isDynamic: isDynamic, on: bench.loop)
            node.role = bench
            bench.made = node
        }
    }

    func listen(_ address: ConnectionAddress) async throws {
        try await loop.flatSubmit {
            self.node.listen(address, tls: nil).assumeIsolated().map { self.listener = $0 }.nonisolated()
        }.get()
    }

    func connect(_ address: ConnectionAddress) async throws {
        try await loop.flatSubmit { self.node.connect(to: address, tls: nil, direction: .up).map { _ in } }.get()
    }

    func stop() async throws {
        try await on { bench in
            _ = bench.listener?.close()
            bench.node.shutDown()
        }
    }

    func byte(_ block: BlockName, at address: Int) async throws -> UInt8? {
        try await on { $0.node.block(.gina(block))?.byte(at: address) }
    }

    /// Peers that are not let in before the first that is.
    var refusals = 0

    func authorize(_ peer: Authentication, on link: NodeLink) {
        guard refusals == 0 else {
            refusals -= 1
            return link.refuse("not today")
        }
        link.accept(.everything)
    }
    func wantsBlock(_ path: BlockPath, _ info: BlockInfo, on link: NodeLink) -> Bool { true }
    func linkReady(_ link: NodeLink) { events.append("ready") }
    func linkClosed(_ link: NodeLink, reason: String) { events.append("closed: \(reason)") }
    func blockRemoved(_ block: MemoryBlock) { events.append("removed \(block.path.block)") }
}

/// The conversation of wire-protocol.md 9.8 with the real transport, and the timing of 1.4 and 2.8.
/// Run alone (scripts/test sets IOCOM_TIMING for that): beside other tests the machine itself is late.
@Suite(
    .serialized, .timeLimit(.minutes(2)), .enabled(if: ProcessInfo.processInfo.environment["IOCOM_TIMING"] != nil)
) struct SerialConversationTests {
    private func server(_ port: PseudoTerminal) async throws -> Bench {
        let bench = Bench()
        try await bench.start("server", number: 0, isDynamic: true)
        try await bench.listen(ConnectionAddress(serialPort: port.path))
        return bench
    }

    private func device(_ port: PseudoTerminal) async throws -> Bench {
        let bench = Bench()
        try await bench.start("gina", number: 1, isDynamic: false)
        try await bench.on { bench in
            let exp = bench.node.addBlock(.gina("exp"), flags: .up, size: 32)
            exp?.write(hex("03 34 12").span.bytes, at: 0)
            exp?.publish()
            bench.node.addBlock(.gina("imp"), flags: .down, size: 24)
        }
        try await bench.connect(ConnectionAddress(serialPort: port.path))
        return bench
    }

    /// The test is the device; its bytes are the captured ones.
    @Test func `A listener holds the captured conversation`() async throws {
        let port = try PseudoTerminal()
        let bench = try await server(port)
        #expect(try await port.next(1) == hex("F9"))
        port.send(hex("FD"))
        #expect(try await port.next(1) == hex("FC"))
        port.send(hex("FB"))
        #expect(try await port.next(30) == hex("FA FF 00 00") + serverAuth)
        port.send(hex("FF 1D 00") + deviceAuth + expInfo)
        let answer = try await port.frames(29)
        #expect(Array(answer.prefix(1)) == [1] && answer.suffix(4) == hex("03 65 78 70"))
        port.send(hex("FF 3A 00") + hex("02 00 00 20 01 00 00 05").sealed + keyFrame)
        try await until { try await bench.byte("exp", at: 1) == 0x34 }
        port.send(deltaFrame)
        try await until { try await bench.byte("exp", at: 1) == 0x35 }
        #expect(try await bench.byte("exp", at: 0) == 3)
        try await bench.stop()
    }

    /// The test is the server.
    @Test func `A client holds the captured conversation`() async throws {
        let port = try PseudoTerminal()
        let bench = try await device(port)
        #expect(try await port.next(1) == hex("FD"))
        port.send(hex("F9"))
        port.send(hex("FC"))
        #expect(try await port.next(1) == hex("FB"))
        port.send(hex("FA FF 00 00") + serverAuth)
        let answer = try await port.next(3 + 24 + 29 + 29)
        #expect(answer.starts(with: hex("FF 1D 00") + deviceAuth + expInfo))
        let info = hex("01 00 00 20 16 08 00 01 C0 01 20 3A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70").sealed
        port.send(hex("FF 55 00") + info)
        #expect(try await port.frames(12) == keyFrame)
        try await bench.on { bench in
            let exp = bench.node.block(.gina("exp"))
            exp?.setByte(0x35, at: 1)
            exp?.publish()
            bench.node.flushWaiting()
        }
        // The original sends the difference; this implementation sends the value, which its peers take as well.
        #expect(try await port.frames(8) == hex("04 00 00 10 01 08 01 35").sealed)
        try await bench.stop()
    }

    @Test func `CONNECT comes every 300 ms, keep-alives every 150 ms, and after 250 ms of silence the next CONNECT`()
        async throws
    {
        let port = try PseudoTerminal()
        let clock = ContinuousClock()
        // Times count from before what starts them: what is seen may be seen late, and never early.
        let beginning = clock.now
        let bench = try await device(port)
        #expect(try await port.next(1) == hex("FD"))
        for count in 1...3 {
            #expect(try await port.next(1) == hex("FD"))
            expect(clock.now - beginning, about: count * 300)
        }
        // It hears nothing more: the handshake starts over.
        let confirmed = clock.now
        port.send(hex("FC"))
        #expect(try await port.next(1) == hex("FB"))
        #expect(try await port.next(1) == hex("FD"))
        expect(clock.now - confirmed, about: 300)
        port.send(hex("FC"))
        #expect(try await port.next(1) == hex("FB"))
        let start = clock.now
        port.send(hex("FA"))
        #expect(try await port.next(3) == hex("FF 00 00"), "a device waits for the other end to say who it is")
        #expect(try await port.next(3) == hex("FF 00 00"))
        expect(clock.now - start, about: 150)
        #expect(try await port.next(1) == hex("FD"))
        expect(clock.now - start, about: 250)
        try await bench.stop()
    }

    @Test func `A listener whose peer falls silent starts over after 250 ms, and waits without a word`() async throws {
        let port = try PseudoTerminal()
        let bench = try await server(port)
        #expect(try await port.next(1) == hex("F9"))
        port.send(hex("FD"))
        #expect(try await port.next(1) == hex("FC"))
        let clock = ContinuousClock()
        let start = clock.now
        port.send(hex("FB"))
        #expect(try await port.next(30).count == 30)
        #expect(try await port.next(3).count == 3)
        expect(clock.now - start, about: 150)
        #expect(try await port.next(1) == hex("F9"))
        expect(clock.now - start, about: 250)
        #expect(try await port.next(1, milliseconds: 700).isEmpty)
        try await bench.stop()
    }

    /// A machine at work is late now and then; early is never right.
    private func expect(_ time: Duration, about milliseconds: Int, _ place: SourceLocation = #_sourceLocation) {
        #expect(time >= .milliseconds(milliseconds - 2), sourceLocation: place)
        #expect(time < .milliseconds(milliseconds + 100), sourceLocation: place)
    }

    private func until(_ check: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(5)
        while try await !check() {
            try #require(ContinuousClock.now < end)
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct SerialPortTests {
    @Test func `A port is taken alone, set as asked, and given back as it was`() async throws {
        let port = try PseudoTerminal()
        let address = ConnectionAddress(serialPort: port.path, SerialLineSettings(baud: 9_600, parity: .even))
        let bench = Bench()
        try await bench.start("server", number: 0, isDynamic: true)
        try await bench.listen(address)
        #expect(try await port.next(1) == hex("F9"))
        var settings = port.settings
        #expect(cfgetospeed(&settings) == speed_t(B9600))
        #expect(settings.c_lflag & tcflag_t(ECHO | ICANON) == 0)
        let other = Bench()
        try await other.start("server", number: 0, isDynamic: true)
        let error = await #expect(throws: LinkError.self) { try await other.listen(address) }
        #expect(error?.description.contains("another program uses it") == true)
        try await bench.stop()
        let end = ContinuousClock.now + .seconds(5)
        while cfgetospeed(&settings) == speed_t(B9600), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(5))
            settings = port.settings
        }
        #expect(cfgetospeed(&settings) != speed_t(B9600))
    }

    @Test func `A port on which somebody was refused hears the next one`() async throws {
        let port = try PseudoTerminal()
        let bench = Bench()
        try await bench.start("server", number: 0, isDynamic: true)
        try await bench.on { $0.refusals = 1 }
        try await bench.listen(ConnectionAddress(serialPort: port.path))
        try await introduce(on: port) { try await bench.on { $0.events } == ["closed: refused: not today"] }
        try await introduce(on: port) { try await bench.byte("exp", at: 1) != nil }
        #expect(try await bench.on { $0.events.contains("ready") })
        try await bench.stop()
    }

    /// Says at the other end of a line that a device is there, as often as that takes: a listener that hears nothing for
    /// 250 ms starts over, and a machine at work may be slower than that.
    private func introduce(on port: PseudoTerminal, until isDone: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while try await !isDone() {
            try #require(ContinuousClock.now < end, "nobody listens on the line")
            _ = port.available()
            port.send(hex("FD"))
            guard try await port.next(1, milliseconds: 300).contains(0xFC) else { continue }
            port.send(hex("FB"))
            guard try await port.next(30, milliseconds: 300).suffix(serverAuth.count) == serverAuth[...] else {
                continue
            }
            port.send(hex("FF 1D 00") + deviceAuth + expInfo)
            let pause = ContinuousClock.now + .milliseconds(200)
            while try await !isDone(), ContinuousClock.now < pause { try await Task.sleep(for: .milliseconds(2)) }
        }
    }

    @Test func `What is no serial port, or is not there, is told`() async throws {
        let bench = Bench()
        try await bench.start("server", number: 0, isDynamic: true)
        for (path, text) in [("/dev/null", "is not a serial port"), ("/dev/ttyNothing9", "plugged in")] {
            let error = await #expect(throws: LinkError.self) {
                try await bench.listen(ConnectionAddress(serialPort: path))
            }
            #expect(error?.description.contains(text) == true)
        }
    }
}

extension [UInt8] {
    /// A frame with its checksum.
    fileprivate var sealed: [UInt8] {
        var frame = self
        frame.withUnsafeMutableBytes { FrameHeader.sealSerial($0) }
        return frame
    }
}
