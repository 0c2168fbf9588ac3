import ByteTools

/// All strings of a Windows Installer database; tables name them by number. The stream `_StringPool` holds the lengths,
/// `_StringData` the bytes.
struct MSIStrings {
    /// Bytes of a number of a string in tables.
    let referenceSize: Int
    /// How the bytes stand for letters.
    let codePage: Int
    private let data: [UInt8]
    /// Where each string starts, and where the last one ends.
    private var starts: [Int]

    init(pool: [UInt8], data: [UInt8]) throws(MSIFailure) {
        guard let first: UInt32 = pool.number(at: 0), pool.count % 4 == 0 else {
            throw .damaged("the list of its strings has \(pool.count) bytes")
        }
        referenceSize = first & 0x8000_0000 == 0 ? 2 : 3
        codePage = Int(first & 0x7FFF_FFFF)
        self.data = data
        guard pool.count / 4 <= MSILimits.mostStrings else { throw .limit("strings", MSILimits.mostStrings) }
        // Number 0 is no string.
        starts = [0, 0]
        starts.reserveCapacity(pool.count / 4 + 1)
        var end = 0
        for index in 1..<max(1, pool.count / 4) {
            guard let length: UInt16 = pool.number(at: 4 * index), let uses: UInt16 = pool.number(at: 4 * index + 2)
            else { break }
            // Readers do not agree how the length of a longer one is written: they could read another database than we do.
            guard length > 0 || uses == 0 else { throw .limit("bytes in one of its strings", 0xFFFF) }
            end += Int(length)
            starts.append(end)
        }
        guard end == data.count else {
            throw .damaged("its strings have \(data.count) bytes instead of \(end)")
        }
    }

    /// The bytes of the string of a number, without a copy: none for 0, nil when there is no such string.
    func bytes(_ number: Int) -> ArraySlice<UInt8>? {
        if number == 0 { return [] }
        guard number > 0, number < starts.count - 1 else { return nil }
        return data[starts[number]..<starts[number + 1]]
    }

    /// The string of a number, which may have up to `limit` bytes. Bytes that are no letters are replaced.
    func text(_ number: Int, limit: Int, of what: String) throws(MSIFailure) -> String {
        guard let bytes = bytes(number) else { throw .damaged("\(what) is a string that there is not") }
        guard bytes.count <= limit else { throw .limit("bytes in \(what)", limit) }
        return Self.text(bytes, codePage: codePage)
    }

    static func text(_ bytes: ArraySlice<UInt8>, codePage: Int) -> String {
        if codePage == 65001 || bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        // Western European; letters of other code pages are not known here.
        guard codePage == 1252 || codePage == 0 else {
            return String(decoding: bytes.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
        }
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append((0x80...0x9F).contains(byte) ? "\u{FFFD}" : Unicode.Scalar(byte)) }
        return String(text)
    }
}
