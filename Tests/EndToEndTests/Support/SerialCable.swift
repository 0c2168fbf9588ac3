import Foundation
import Synchronization

/// Two serial ports with a cable between them that is as fast as a UART and no faster, and that can be bad: pseudo
/// terminals have no speed of their own. The ports are named by links, as udev does, so that one can be unplugged.
final class SerialCable: Sendable {
    /// What the cable does to bytes.
    struct Faults: Sendable {
        /// One byte in so many is changed; 0 for none.
        var corrupt = 0
        /// One byte in so many is lost; 0 for none.
        var lose = 0
        /// Nothing passes at all.
        var isDead = false
    }

    private struct State {
        var faults = Faults()
        /// Which of the cables it is that one after another were plugged in; threads end with theirs.
        var generation = 0
        var moved = [0, 0]
        var corrupted = 0
        var random: UInt64
        var ends: [End] = []
    }

    private struct End {
        let primary: Int32
        /// Held open, or the other side would see the end of the file when a program closes its port.
        let secondary: Int32
    }

    /// TIOCSPTLCK and TIOCGPTN of Linux.
    private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

    /// Bytes are not late by more than this, however late a thread runs: what a UART and its driver hold.
    private static let slack = 0.006

    /// Paths of both ports.
    let ports: [String]
    private let secondsPerByte: Double
    private let state: Mutex<State>

    /// Makes the ports in `folder`. Ten bits make a byte on the line.
    init(_ name: String = "line", folder: String, baud: Double = 115_200, seed: UInt64 = 1) throws {
        ports = ["a", "b"].map { "\(folder)/\(name)-\($0)" }
        secondsPerByte = 10 / baud
        state = Mutex(State(random: seed &* 0x9E37_79B9_7F4A_7C15 | 1))
        try plugIn()
    }

    deinit {
        unplug()
    }

    /// Bytes that came out at the second port, and at the first.
    var moved: [Int] { state.withLock(\.moved) }
    /// Bytes that were changed or lost.
    var corrupted: Int { state.withLock(\.corrupted) }

    /// Changes what the cable does to bytes.
    func set(_ faults: Faults) { state.withLock { $0.faults = faults } }

    /// Makes both ports.
    func plugIn() throws {
        let ends = try ports.map { path in
            let primary = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
            var number: Int32 = 0
            var isLocked: Int32 = 0
            guard primary >= 0, ioctl(primary, Self.setLock, &isLocked) == 0,
                ioctl(primary, Self.getNumber, &number) == 0
            else { throw Unexpected("no pseudo terminal: \(String(cString: strerror(errno)))") }
            let device = "/dev/pts/\(number)"
            let secondary = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC)
            var settings = termios()
            guard secondary >= 0, tcgetattr(secondary, &settings) == 0 else { throw Unexpected("can't open \(device)") }
            cfmakeraw(&settings)
            tcsetattr(secondary, TCSANOW, &settings)
            unlink(path)
            guard symlink(device, path) == 0 else { throw Unexpected("can't make \(path)") }
            return End(primary: primary, secondary: secondary)
        }
        let generation = state.withLock {
            $0.ends = ends
            return $0.generation
        }
        for direction in 0...1 {
            Thread.detachNewThread { [weak self] in
                var freeAt = Self.now
                while let self, self.step(direction, generation, &freeAt) {}
            }
        }
    }

    /// Both ports vanish; who has one open sees an error.
    func unplug() {
        for path in ports { unlink(path) }
        // No thread is reading then: another file could get the number of one that is closed.
        state.withLock { state in
            for end in state.ends {
                close(end.secondary)
                close(end.primary)
            }
            state.ends = []
            state.generation += 1
        }
    }

    /// Moves bytes for some milliseconds; false when the cable was unplugged.
    private func step(_ direction: Int, _ generation: Int, _ freeAt: inout Double) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 256)
        for _ in 0..<20 {
            usleep(400)
            let now = Self.now
            freeAt = max(freeAt, now - Self.slack)
            let due = min(buffer.count, Int((now - freeAt) / secondsPerByte))
            guard due > 0 else { continue }
            let count: Int? = state.withLock { state in
                guard state.generation == generation else { return nil }
                let count = read(state.ends[direction].primary, &buffer, due)
                guard count > 0 else { return 0 }
                let passed = Self.spoil(buffer.prefix(count), direction, &state)
                if !passed.isEmpty { _ = write(state.ends[1 - direction].primary, passed, passed.count) }
                return count
            }
            guard let count else { return false }
            freeAt += Double(count) * secondsPerByte
        }
        return true
    }

    private static func spoil(_ bytes: ArraySlice<UInt8>, _ direction: Int, _ state: inout State) -> [UInt8] {
        if state.faults.isDead { return [] }
        var passed: [UInt8] = []
        for byte in bytes {
            if state.faults.lose > 0, next(&state.random) % UInt64(state.faults.lose) == 0 {
                state.corrupted += 1
            } else if state.faults.corrupt > 0, next(&state.random) % UInt64(state.faults.corrupt) == 0 {
                state.corrupted += 1
                passed.append(byte ^ UInt8(1 << (next(&state.random) % 8)))
            } else {
                passed.append(byte)
            }
        }
        state.moved[direction] += passed.count
        return passed
    }

    private static func next(_ state: inout UInt64) -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state >> 11
    }

    private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }
}
