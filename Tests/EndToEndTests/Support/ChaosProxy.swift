import Foundation
import Synchronization

/// A TCP forwarder that drops its connections after a number of bytes, as a broken link does, or holds them there.
final class ChaosProxy: Sendable {
    /// Which way bytes are counted.
    enum Direction { case toServer, toClient }

    private struct State {
        var open: [(Socket, Socket)] = []
        /// Bytes until the cut; nil forwards everything.
        var left: Int?
        var counted = Direction.toServer
        var moved = 0
        var cuts = 0
        var holds = false
        var isHolding = false
        var recording: [UInt8] = []
    }

    /// Bytes of the counted direction that are kept.
    private static let mostRecorded = 65_536

    /// Where clients connect.
    let port: UInt16
    private let listener: Socket
    private let state: Mutex<State>

    /// Forwards to a port of this machine, and counts the bytes of one direction.
    init(to target: UInt16, counting direction: Direction) throws {
        (listener, port) = try Socket.listen()
        state = Mutex(State(counted: direction))
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while let client = listener.accept() {
                guard let server = try? Socket.connect(target) else {
                    client.shut()
                    continue
                }
                guard let self else { return }
                self.state.withLock { $0.open.append((client, server)) }
                self.forward(client, server, .toServer)
                self.forward(server, client, .toClient)
            }
        }
    }

    deinit {
        listener.shut()
        cut()
    }

    /// Bytes of the counted direction since the last ``arm(_:)``.
    var moved: Int { state.withLock(\.moved) }
    /// Cuts made by number of bytes.
    var cuts: Int { state.withLock(\.cuts) }

    /// True while bytes wait in the middle of the way.
    var isHolding: Bool { state.withLock(\.isHolding) }
    /// The first bytes that passed in the counted direction.
    var recording: [UInt8] { state.withLock(\.recording) }

    /// Cuts every connection after so many further bytes, or with `holds` lets nothing pass in that direction from there
    /// on; nil lets everything pass.
    func arm(_ bytes: Int?, holds: Bool = false) {
        state.withLock {
            $0.left = bytes
            $0.moved = 0
            $0.holds = holds
            $0.isHolding = false
        }
    }

    /// Waits until it holds.
    func held() async throws {
        try await eventually("the link is held; \(moved) bytes passed") { isHolding ? true : nil }
    }

    /// Lets what waits pass.
    func release() { arm(nil) }

    /// Cuts every connection now.
    func cut() {
        let open = state.withLock { state in
            defer { state.open = [] }
            return state.open
        }
        for (client, server) in open {
            client.shut()
            server.shut()
        }
    }

    /// How many of `bytes` may pass, and whether the cut comes then.
    private func pass(_ bytes: [UInt8], _ direction: Direction) -> (count: Int, cuts: Bool) {
        state.withLock { state in
            guard direction == state.counted else { return (bytes.count, false) }
            let passed = min(bytes.count, state.left ?? bytes.count)
            state.moved += passed
            let room = Self.mostRecorded - state.recording.count
            if room > 0 { state.recording += bytes.prefix(min(passed, room)) }
            guard let left = state.left else { return (passed, false) }
            state.left = left - passed
            guard left <= bytes.count else { return (passed, false) }
            if state.holds {
                state.isHolding = true
                return (passed, false)
            }
            state.left = nil
            state.cuts += 1
            return (passed, true)
        }
    }

    private func forward(_ from: Socket, _ to: Socket, _ direction: Direction) {
        Thread.detachNewThread { [weak self] in
            reading: while true {
                var bytes = from.read()
                guard !bytes.isEmpty else { break }
                while !bytes.isEmpty {
                    guard let self else { break reading }
                    let (count, cuts) = self.pass(bytes, direction)
                    let sent = to.write(bytes[..<count])
                    if cuts { self.cut() }
                    guard sent, !cuts else { break reading }
                    bytes.removeFirst(count)
                    // Held: look again soon whether it may go on.
                    if !bytes.isEmpty { usleep(5_000) }
                }
            }
            from.shut()
            to.shut()
        }
    }
}
