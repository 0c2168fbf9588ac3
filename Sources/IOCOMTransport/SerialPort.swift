import Glibc

/// A serial port that this process has for itself, set as it wants it; it gets its old settings back in the end.
///
/// The descriptor for bytes goes to a channel; this keeps another one of the same port for what is not bytes.
final class SerialPort {
    private let control: CInt
    private var before: termios
    private var isOpen = true

    private init(control: CInt, before: termios) {
        self.control = control
        self.before = before
    }

    deinit { close() }

    /// Opens the port of `address`; gives also a descriptor that does not block, whose owner has to close it.
    static func open(_ address: ConnectionAddress) throws(LinkError) -> (port: SerialPort, descriptor: CInt) {
        let path = address.host
        let control = Glibc.open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard control >= 0 else { throw .cannotConnect("cannot open \(path): \(explainOpening(errno))") }
        var before = termios()
        guard tcgetattr(control, &before) == 0 else {
            _ = Glibc.close(control)
            throw .cannotConnect("\(path) is not a serial port")
        }
        // The one is for those who open it later, the other for those who have it open and ask.
        guard flock(control, LOCK_EX | LOCK_NB) == 0 else {
            _ = Glibc.close(control)
            throw .cannotConnect("cannot open \(path): \(explainOpening(EBUSY))")
        }
        _ = ioctl(control, UInt(TIOCEXCL))
        let port = SerialPort(control: control, before: before)
        guard set(control, before, address.line) else {
            throw .cannotConnect("\(path) cannot be set to \(address.line.baud) baud, parity \(address.line.parity)")
        }
        _ = tcflush(control, TCIOFLUSH)
        let descriptor = fcntl(control, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw .cannotConnect("cannot open \(path): no descriptor is left") }
        return (port, descriptor)
    }

    /// Forgets what was written and has not left: it belongs to a connection that is over.
    func discardOutput() {
        if isOpen { _ = tcflush(control, TCOFLUSH) }
    }

    /// Gives the port back as it was.
    func close() {
        guard isOpen else { return }
        isOpen = false
        _ = tcsetattr(control, TCSANOW, &before)
        _ = ioctl(control, UInt(TIOCNXCL))
        _ = Glibc.close(control)
    }

    private static func set(_ descriptor: CInt, _ before: termios, _ line: SerialLineSettings) -> Bool {
        guard let speed = speeds.first(where: { $0.baud == line.baud })?.speed else { return false }
        var wanted = before
        cfmakeraw(&wanted)
        wanted.c_cflag |= tcflag_t(CLOCAL | CREAD)
        wanted.c_cflag &= ~(tcflag_t(CSTOPB) | tcflag_t(PARENB) | tcflag_t(PARODD) | tcflag_t(CRTSCTS))
        switch line.parity {
        case .none: break
        case .odd: wanted.c_cflag |= tcflag_t(PARENB | PARODD)
        case .even: wanted.c_cflag |= tcflag_t(PARENB)
        }
        guard cfsetispeed(&wanted, speed) == 0, cfsetospeed(&wanted, speed) == 0,
            tcsetattr(descriptor, TCSANOW, &wanted) == 0
        else { return false }
        // The call succeeds when anything of it could be done.
        var now = termios()
        return tcgetattr(descriptor, &now) == 0 && cfgetospeed(&now) == speed
    }

    private static let speeds: [(baud: Int, speed: speed_t)] = [
        (1_200, speed_t(B1200)), (2_400, speed_t(B2400)), (4_800, speed_t(B4800)), (9_600, speed_t(B9600)),
        (19_200, speed_t(B19200)), (38_400, speed_t(B38400)), (57_600, speed_t(B57600)), (115_200, speed_t(B115200)),
        (230_400, speed_t(B230400)), (460_800, speed_t(B460800)), (500_000, speed_t(B500000)),
        (576_000, speed_t(B576000)), (921_600, speed_t(B921600)), (1_000_000, speed_t(B1000000)),
        (1_500_000, speed_t(B1500000)), (2_000_000, speed_t(B2000000)), (3_000_000, speed_t(B3000000)),
        (4_000_000, speed_t(B4000000)),
    ]

    private static func explainOpening(_ code: CInt) -> String {
        switch code {
        case ENOENT, ENXIO, ENODEV: "there is no such port; look whether the adapter is plugged in"
        case EACCES, EPERM: "permission denied; on most systems the user has to be in the group dialout"
        case EBUSY: "another program uses it"
        default: String(cString: strerror(code))
        }
    }
}
