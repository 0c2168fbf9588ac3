/// An IPv4 or IPv6 address.
///
/// Addresses of different families never compare as equal or in a range (the original keeps both in 16 bytes, where
/// `10.0.0.0` is also `a00::`). IPv4 in IPv6 (`::ffff:10.0.0.1`), which a listener for both families reports, is IPv4.
public struct IPAddress: Hashable, Sendable {
    /// 4 or 16 bytes, most significant first.
    public let bytes: [UInt8]

    /// Nil when there are not 4 or 16 bytes.
    public init?(bytes: [UInt8]) {
        switch bytes.count {
        case 4: self.bytes = bytes
        case 16:
            let mapped = bytes[0..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.bytes = mapped ? Array(bytes[12...]) : bytes
        default: return nil
        }
    }

    /// Reads dotted IPv4 or IPv6, written out or abbreviated (`::`), also with dotted IPv4 at the end. Nil for anything
    /// else: leading zeros in IPv4 are refused because some read them as octal.
    public init?(_ text: String) {
        let text = Array(text.utf8)
        guard text.count <= 45 else { return nil }
        guard let bytes = text.contains(UInt8(ascii: ":")) ? Self.six(text[...]) : Self.four(text[...]) else {
            return nil
        }
        self.init(bytes: bytes)
    }

    /// Reads the address of a peer, which may also carry brackets, a port or a zone: `[fe80::1%eth0]:6369`,
    /// `10.0.0.1:6369`.
    public init?(peer text: String) {
        guard text.utf8.count <= 128 else { return nil }
        var host = text[...]
        if host.first == "[" {
            guard let end = host.firstIndex(of: "]") else { return nil }
            host = host[host.index(after: host.startIndex)..<end]
        } else if host.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1, let colon = host.firstIndex(of: ":") {
            host = host[..<colon]
        }
        if let percent = host.firstIndex(of: "%") { host = host[..<percent] }
        self.init(String(host))
    }

    /// True when this address is between two of its family, both included.
    public func isBetween(_ first: IPAddress, _ last: IPAddress) -> Bool {
        guard bytes.count == first.bytes.count, bytes.count == last.bytes.count else { return false }
        return !bytes.lexicographicallyPrecedes(first.bytes) && !last.bytes.lexicographicallyPrecedes(bytes)
    }

    private static func four(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            var value = 0
            for digit in part {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
                value = value * 10 + Int(digit - UInt8(ascii: "0"))
            }
            guard let byte = UInt8(exactly: value) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func six(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard let gap = firstGap(text) else {
            guard let bytes = groups(text), bytes.count == 16 else { return nil }
            return bytes
        }
        let tail = text[(gap + 2)...]
        guard firstGap(tail) == nil, let before = groups(text[..<gap]), let after = groups(tail),
            before.count + after.count <= 14
        else { return nil }
        // The part before a gap cannot end in dotted IPv4: it is the address's last four bytes or nothing.
        guard !text[..<gap].contains(UInt8(ascii: ".")) else { return nil }
        return before + [UInt8](repeating: 0, count: 16 - before.count - after.count) + after
    }

    /// Where the first `::` starts.
    private static func firstGap(_ text: ArraySlice<UInt8>) -> Int? {
        text.indices.dropLast().first { text[$0] == UInt8(ascii: ":") && text[$0 + 1] == UInt8(ascii: ":") }
    }

    private static func groups(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if part.contains(UInt8(ascii: ".")) {
                guard index == parts.count - 1, let dotted = four(part) else { return nil }
                bytes += dotted
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var value: UInt16 = 0
            for digit in part {
                guard let nibble = nibble(digit) else { return nil }
                value = value << 4 | nibble
            }
            bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
        }
        return bytes.count <= 16 ? bytes : nil
    }

    private static func nibble(_ digit: UInt8) -> UInt16? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(digit - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(digit - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted, or eight groups written out (the form the original understands).
    public var description: String {
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}
