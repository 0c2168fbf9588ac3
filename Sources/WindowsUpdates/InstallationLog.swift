import ByteTools

/// The log that `msiexec` writes: what of it tells why an installation failed.
enum InstallationLog {
    /// Bytes of the end of a log that are read.
    static let longestRead = 256 << 10
    /// Bytes of what is told.
    static let longestTold = 600
    private static let mostLines = 4

    /// The decisive lines of a log file; empty when there are none.
    static func reason(_ path: String) -> String {
        guard let file = try? File(path, .read), let size = try? file.byteCount, size >= 2,
            let start = try? file.read(at: 0, count: 2)
        else { return "" }
        // In UTF-16 a unit must not be cut.
        let offset = max(0, size - longestRead) & ~1
        guard let bytes = try? file.read(at: offset, count: size - offset) else { return "" }
        return reason(in: text(bytes, isWide: start == [0xFF, 0xFE]))
    }

    static func text(_ bytes: [UInt8], isWide: Bool) -> String {
        guard isWide else { return String(decoding: bytes, as: UTF8.self) }
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
        return String(decoding: units, as: UTF16.self)
    }

    static func reason(in log: String) -> String {
        let lines = log.unicodeScalars.split { $0 == "\n" || $0 == "\r" }.map { line in
            String(String.UnicodeScalarView(line.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }))
        }
        var told: [String] = []
        for line in lines where isDecisive(line) && !told.contains(line) { told.append(line) }
        // Actions without work end with 0 as well: the last ones are what remains to be told.
        if told.isEmpty {
            told = lines.filter { $0.contains("Return value") && !$0.contains("Return value 1") }.suffix(2)
        }
        var text = told.suffix(mostLines).joined(separator: "; ")
        while text.utf8.count > longestTold { text.removeFirst() }
        return text
    }

    /// "Return value 3" ends an action that failed; errors have numbers and start with that word.
    private static func isDecisive(_ line: String) -> Bool {
        let small = line.lowercased()
        return small.contains("return value 3") || small.hasPrefix("error ") || small.contains(" error 1")
            || small.contains("installation failed") || small.contains("fatal error")
    }
}
