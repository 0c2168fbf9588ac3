import Glibc

/// What a file descriptor is connected to.
public enum Terminal {
    /// Whether `descriptor` is a terminal that understands ANSI control sequences.
    public static func understandsControl(_ descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1 else { return false }
        guard let kind = environment("TERM") else { return false }
        return kind != "dumb" && !kind.isEmpty
    }

    /// Columns of the terminal at `descriptor`, between 20 and 1,000; nil when it is none or does not say.
    public static func width(_ descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return min(max(Int(size.ws_col), 20), 1000)
    }

    /// Whether the locale of this process writes UTF-8, after the rules of POSIX: LC_ALL, else LC_CTYPE, else LANG.
    public static var writesUTF8: Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            guard let value = environment(name), !value.isEmpty else { continue }
            let lowered = value.lowercased()
            return lowered.hasSuffix("utf-8") || lowered.hasSuffix("utf8")
        }
        return false
    }

    /// Writes all of `text` to `descriptor`. Returns false when that cannot be done (closed pipe, full disk).
    @discardableResult
    public static func write(_ text: String, to descriptor: Int32) -> Bool {
        FileBytes.write(Array(text.utf8), to: descriptor)
    }

    /// A variable of the environment.
    static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }
}
