import ByteTools

/// A file of further options, as systemd reads it for `EnvironmentFile` and an unquoted `$OPTIONS` (systemd.exec(5)):
/// lines `NAME=value`, quotes around a value, `#` before a remark.
struct OptionsFile: Equatable {
    static let largestSize = 16_384
    static let mostLines = 200

    /// Words of `OPTIONS`.
    private(set) var arguments: [String] = []
    /// Everything else, as `NAME=value`.
    private(set) var variables: [String] = []

    /// A file that is not there has no options; one that can't be read or is too long neither, for a program must start.
    init(path: String?) {
        var bytes: [UInt8] = []
        if let path, let file = try? File(path, .read), let size = try? file.byteCount, size <= Self.largestSize {
            bytes = (try? file.read(at: 0, count: size)) ?? []
        }
        self.init(String(decoding: bytes, as: UTF8.self))
    }

    init(_ text: String) {
        for line in text.split(separator: "\n").prefix(Self.mostLines) {
            let line = line.drop { $0 == " " || $0 == "\t" }
            guard let sign = line.firstIndex(of: "="), line.first != "#", line.first != ";" else { continue }
            let name = line[..<sign]
            guard Self.isName(name) else { continue }
            let value = Self.unquoted(line[line.index(after: sign)...])
            if name == "OPTIONS" {
                arguments = value.split { $0 == " " || $0 == "\t" }.map(String.init)
            } else if !value.utf8.contains(0) {
                variables.append("\(name)=\(value)")
            }
        }
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text.first.map { $0.isLetter || $0 == "_" } == true
            && text.utf8.allSatisfy {
                (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
            }
    }

    private static func unquoted(_ text: Substring) -> Substring {
        var text = text
        while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
        for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
            return text.dropFirst().dropLast()
        }
        return text
    }
}
