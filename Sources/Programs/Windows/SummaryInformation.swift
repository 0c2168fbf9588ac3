import ByteTools

/// The summary information of a package: a property set (MS-OLEPS) with the machine it is for and its own number.
struct SummaryInformation: Equatable {
    /// Platform and languages, like `x64;1033`.
    private(set) var template = ""
    /// Number of this very package file.
    private(set) var revision = ""
    /// Bits: 2 files are compressed, 4 made for an administrator's share, 8 needs no administrator.
    private(set) var wordCount: Int32 = 0
    static let administratorImage: Int32 = 4

    private static let format: [UInt8] = [
        0xE0, 0x85, 0x9F, 0xF2, 0xF9, 0x4F, 0x68, 0x10, 0xAB, 0x91, 0x08, 0x00, 0x2B, 0x27, 0xB3, 0xD9,
    ]
    /// Where the first set is told: byte order 2, version 2, system 4, class 16, count 4, format 16, offset 4.
    private static let headerSize = 48

    init(parsing bytes: [UInt8]) throws(MSIFailure) {
        guard bytes.count >= Self.headerSize, bytes.number(at: 0, as: UInt16.self) == 0xFFFE,
            let sets: UInt32 = bytes.number(at: 24), sets >= 1, Array(bytes[28..<44]) == Self.format,
            let start = bytes.number(at: 44, as: UInt32.self).map(Int.init),
            let size = bytes.number(at: start, as: UInt32.self).map(Int.init), size >= 8, size <= bytes.count - start
        else { throw .damaged("its summary information is not a property set") }
        let section = Array(bytes[start..<start + size])
        guard let count = section.number(at: 4, as: UInt32.self).map(Int.init) else {
            throw .damaged("its summary information has no properties")
        }
        guard count <= MSILimits.mostSummaryProperties else {
            throw .limit("properties in its summary information", MSILimits.mostSummaryProperties)
        }
        var codePage = 0
        var texts: [UInt32: ArraySlice<UInt8>] = [:]
        var seen: Set<UInt32> = []
        for index in 0..<count {
            guard let id = section.number(at: 8 + 8 * index, as: UInt32.self),
                let place = section.number(at: 12 + 8 * index, as: UInt32.self).map(Int.init),
                let type = section.number(at: place, as: UInt32.self), seen.insert(id).inserted
            else { throw .damaged("a property of its summary information can't be") }
            switch (id, type & 0xFFFF) {
            case (1, 2):
                codePage = section.number(at: place + 4, as: UInt16.self).map(Int.init) ?? 0
            case (15, 3): wordCount = section.number(at: place + 4, as: Int32.self) ?? 0
            case (7, 30), (9, 30):
                guard let length = section.number(at: place + 4, as: UInt32.self).map(Int.init),
                    length <= section.count - place - 8
                else { throw .damaged("a text of its summary information is longer than it") }
                texts[id] = section[(place + 8)..<(place + 8 + length)].prefix { $0 != 0 }
            default: break
            }
        }
        template = MSIStrings.text(texts[7] ?? [], codePage: codePage)
        revision = MSIStrings.text(texts[9] ?? [], codePage: codePage)
    }
}
