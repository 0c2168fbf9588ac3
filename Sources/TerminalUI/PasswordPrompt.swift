import Glibc

/// Asks for a password at a terminal: no echo, and the terminal is left as it was, however the question ends.
enum PasswordPrompt {
    /// Writes `text` and reads a line at the terminal `descriptor`.
    static func ask(_ text: String, at descriptor: Int32) throws(PasswordError) -> Password {
        var before = termios()
        guard tcgetattr(descriptor, &before) == 0 else { throw .noTerminal }
        // Keys come one by one and Ctrl-C comes as a key: a signal would end the process with the echo still off.
        var quiet = before
        quiet.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
        quiet.c_iflag |= tcflag_t(ICRNL)
        guard tcsetattr(descriptor, TCSAFLUSH, &quiet) == 0 else { throw .noTerminal }
        defer {
            tcsetattr(descriptor, TCSANOW, &before)
            Terminal.write("\n", to: descriptor)
        }
        Terminal.write(DisplayText.clean(text), to: descriptor)
        var line = HiddenLine()
        while true {
            var key: UInt8 = 0
            let count = read(descriptor, &key, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { throw .cancelled }
            switch line.type(key) {
            case .more: continue
            case .cancelled: throw .cancelled
            case .done(let bytes): return try PasswordSource.password(bytes, source: "the answer")
            }
        }
    }
}

/// The keys of a line that nobody sees.
struct HiddenLine {
    enum Outcome: Equatable {
        case more
        case done([UInt8])
        case cancelled
    }

    private var bytes: [UInt8] = []

    /// Takes one byte from the keyboard.
    mutating func type(_ key: UInt8) -> Outcome {
        switch key {
        case 0x0A, 0x0D: return .done(bytes)
        case 0x03, 0x1C: return .cancelled  // Ctrl-C, Ctrl-\
        case 0x04: return bytes.isEmpty ? .cancelled : .more  // Ctrl-D
        case 0x15: bytes = []  // Ctrl-U
        case 0x08, 0x7F:  // backspace takes a whole character: its continuation bytes and the first
            while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
        default:
            // One byte too many is kept, so that a password that is too long is refused instead of cut.
            if bytes.count <= Password.longest { bytes.append(key) }
        }
        return .more
    }
}
