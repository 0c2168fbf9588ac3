/// How a serial line is set: eight data bits and one stop bit (wire-protocol.md section 0).
public struct SerialLineSettings: Hashable, Sendable {
    /// The bit that guards each byte.
    public enum Parity: String, Sendable, CaseIterable {
        /// There is none.
        case none
        /// It makes the number of ones odd.
        case odd
        /// It makes the number of ones even.
        case even
    }

    /// Bits in a second that this system can be asked for.
    public static let bauds = [
        1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 500_000, 576_000, 921_600,
        1_000_000, 1_500_000, 2_000_000, 3_000_000, 4_000_000,
    ]

    /// Bits in a second, one of ``bauds``.
    public var baud: Int
    /// Parity.
    public var parity: Parity

    /// The usual settings are 115,200 baud without parity.
    public init(baud: Int = 115_200, parity: Parity = .none) {
        self.baud = baud
        self.parity = parity
    }
}

extension ConnectionAddress {
    /// Longest path of a serial port.
    private static let longestPath = 255

    /// The address of a serial port.
    public init(serialPort path: String, _ line: SerialLineSettings = SerialLineSettings()) {
        self.init(transport: .serial, host: path, port: 0)
        self.line = line
    }

    /// Parses what follows `serial://`: a path and, behind a question mark, options.
    static func serial(_ text: Substring) throws(ParseError) -> ConnectionAddress {
        func fail(_ what: String) -> ParseError {
            ParseError(
                "'serial://\(text)' is not a serial line: \(what); expected serial:///dev/ttyUSB0?baud=115200&parity=none"
            )
        }
        let path = text.prefix { $0 != "?" }
        guard isSerialPort(path) else { throw fail("'\(path)' is not the path of a serial port") }
        var line = SerialLineSettings()
        for option in text.dropFirst(path.count + 1).split(separator: "&") {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "baud":
                guard let baud = Int(value), SerialLineSettings.bauds.contains(baud) else {
                    let all = SerialLineSettings.bauds.map(String.init).joined(separator: ", ")
                    throw fail("'\(value)' baud is not possible, only \(all) are")
                }
                line.baud = baud
            case "parity":
                guard let parity = SerialLineSettings.Parity(rawValue: String(value)) else {
                    throw fail("parity '\(value)' is not none, odd or even")
                }
                line.parity = parity
            default: throw fail("option '\(parts[0])' is unknown")
            }
        }
        return ConnectionAddress(serialPort: String(path), line)
    }

    /// An absolute path of visible ASCII, or a port of Windows.
    private static func isSerialPort(_ path: Substring) -> Bool {
        guard path.utf8.count <= longestPath, path.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return false }
        if path.hasPrefix("COM") {
            return path.count <= 6 && path.dropFirst(3).allSatisfy(\.isNumber) && path.count > 3
        }
        return path.hasPrefix("/") && path.count > 1 && !path.hasSuffix("/")
    }
}
