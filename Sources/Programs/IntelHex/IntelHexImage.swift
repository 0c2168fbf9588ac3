/// A whole Intel HEX file in memory.
public struct IntelHexImage: Equatable, Sendable {
    /// Consecutive bytes.
    public struct Area: Equatable, Sendable {
        /// Address of the first byte.
        public var address: UInt32
        /// The bytes, at least one.
        public var bytes: [UInt8]

        /// An area of its parts.
        public init(address: UInt32, bytes: [UInt8]) {
            self.address = address
            self.bytes = bytes
        }
    }

    /// Areas that do not touch each other, by address.
    public private(set) var areas: [Area] = []
    /// Where the program starts; nil when the file does not say so.
    public private(set) var start: IntelHexStart?
    /// Bytes that came again with the same value.
    public private(set) var repeatedCount = 0

    /// Reads the text of a file. Bytes that come twice are taken when they are the same, as by srec_cat.
    public init(
        parsing text: some Sequence<UInt8>, limits: IntelHexLimits = IntelHexLimits()
    ) throws(IntelHexError) {
        var reader = IntelHexReader(limits: limits, overlaps: .marked)
        var pages = Pages()
        let first = try reader.feed(text)
        for run in try first + reader.finish() { repeatedCount += try pages.add(run) }
        areas = pages.areas
        start = reader.start
    }

    /// Bytes from `address` on up to the end of the last area; `fill` where the file has none. Nil when the file has bytes
    /// before `address` or more than `limit` behind it.
    public func bytes(from address: UInt32, fill: UInt8 = 0xFF, limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        for area in areas {
            guard area.address >= address else { return nil }
            let place = Int(area.address - address)
            guard place <= limit, area.bytes.count <= limit - place else { return nil }
            bytes += [UInt8](repeating: fill, count: place - bytes.count)
            bytes += area.bytes
        }
        return bytes
    }
}

/// The bytes by pages, so that a file in any order takes no more memory than its data and its areas.
private struct Pages {
    private static let size: UInt32 = 256

    private struct Page {
        var bytes = [UInt8](repeating: 0, count: 256)
        var present = [Bool](repeating: false, count: 256)
    }

    private var pages: [UInt32: Page] = [:]

    /// Gives how many bytes were there with the same value.
    mutating func add(_ run: IntelHexRun) throws(IntelHexError) -> Int {
        var repeated = 0
        var address = run.address
        var rest = run.bytes[...]
        while !rest.isEmpty {
            let offset = Int(address % Self.size)
            let part = rest.prefix(Int(Self.size) - offset)
            // Taken out while it is changed, so that it is not copied.
            var page = pages.removeValue(forKey: address / Self.size) ?? Page()
            for (index, byte) in zip(offset..., part) {
                if page.present[index] {
                    guard page.bytes[index] == byte else {
                        let place = address &+ UInt32(index - offset)
                        throw IntelHexError(run.line, .contradiction(place, was: page.bytes[index], is: byte))
                    }
                    repeated += 1
                }
                page.bytes[index] = byte
                page.present[index] = true
            }
            pages[address / Self.size] = page
            // May wrap behind the very last byte, and then nothing is left.
            address &+= UInt32(part.count)
            rest = rest.dropFirst(part.count)
        }
        return repeated
    }

    var areas: [IntelHexImage.Area] {
        var areas: [IntelHexImage.Area] = []
        var end: UInt64?
        for (number, page) in pages.sorted(by: { $0.key < $1.key }) {
            for index in 0..<256 where page.present[index] {
                let address = UInt64(number) * 256 + UInt64(index)
                if end == address {
                    areas[areas.count - 1].bytes.append(page.bytes[index])
                } else {
                    areas.append(IntelHexImage.Area(address: UInt32(address), bytes: [page.bytes[index]]))
                }
                end = address + 1
            }
        }
        return areas
    }
}
