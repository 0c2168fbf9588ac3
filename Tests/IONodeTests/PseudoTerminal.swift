import Glibc

/// A serial port without a device: what a program writes to ``path`` is read here, and the other way round.
final class PseudoTerminal {
    struct Missing: Error {}

    /// TIOCSPTLCK and TIOCGPTN of Linux.
    private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

    /// The port for the program.
    let path: String
    private let primary: CInt
    private let secondary: CInt

    init() throws {
        primary = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        var number: CInt = 0
        var isLocked: CInt = 0
        guard primary >= 0, ioctl(primary, Self.setLock, &isLocked) == 0, ioctl(primary, Self.getNumber, &number) == 0
        else { throw Missing() }
        path = "/dev/pts/\(number)"
        secondary = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard secondary >= 0 else { throw Missing() }
        var settings = termios()
        tcgetattr(secondary, &settings)
        cfmakeraw(&settings)
        settings.c_cflag |= tcflag_t(PARENB)
        tcsetattr(secondary, TCSANOW, &settings)
    }

    deinit {
        close(secondary)
        close(primary)
    }

    /// The settings that a program left.
    var settings: termios {
        var settings = termios()
        tcgetattr(secondary, &settings)
        return settings
    }

    /// What came so far and was not read.
    func available() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(primary, &buffer, buffer.count)
        return count > 0 ? Array(buffer.prefix(count)) : []
    }

    func send(_ bytes: [UInt8]) { _ = write(primary, bytes, bytes.count) }

    /// Waits for `count` bytes, which must be all that comes.
    func next(_ count: Int, milliseconds: Int = 2_000) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while bytes.count < count, ContinuousClock.now < end {
            bytes += available()
            if bytes.count < count { try await Task.sleep(for: .milliseconds(1)) }
        }
        return bytes
    }

    /// The same without keep-alives, which come whenever they are due.
    func frames(_ count: Int, milliseconds: Int = 2_000) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while bytes.count < count, ContinuousClock.now < end {
            bytes += withoutAcknowledges(available())
            if bytes.count < count { try await Task.sleep(for: .milliseconds(1)) }
        }
        return bytes
    }

    private func withoutAcknowledges(_ bytes: [UInt8]) -> [UInt8] {
        var rest = bytes[...]
        var frames: [UInt8] = []
        while let first = rest.first {
            let length = first == 0xFF ? 3 : rest.count > 6 ? 7 + Int(rest[rest.startIndex + 4]) : rest.count
            if first != 0xFF { frames += rest.prefix(length) }
            rest = rest.dropFirst(length)
        }
        return frames
    }
}
