/// What a JPEG file says of its picture, without decoding it.
public struct JPEGFile: Sendable, Equatable {
    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// 1 for gray, 3 for colours.
    public let components: Int

    /// Looks through the segments of a file up to its data, and for its end. Safe on any bytes.
    public init(_ bytes: [UInt8]) throws(JPEGFileError) {
        guard bytes.count >= 4, bytes[0] == 0xFF, bytes[1] == Marker.start else { throw .noStart }
        var found: JPEGFile?
        var at = 2
        while true {
            guard let marker = Self.takeMarker(bytes, &at) else { throw .damagedSegment(at: at) }
            if Marker.standalone.contains(marker) { continue }
            guard marker != Marker.start, marker != Marker.end else { throw .noFrame }
            let content = at + 2
            guard content <= bytes.count else { throw .damagedSegment(at: at) }
            let length = Int(bytes[at]) << 8 | Int(bytes[at + 1])
            guard length >= 2, at + length <= bytes.count else { throw .damagedSegment(at: at) }
            at += length
            if marker == Marker.scan { break }
            guard Marker.frames.contains(marker), !Marker.others.contains(marker) else { continue }
            guard found == nil, length >= 8 else { throw .damagedSegment(at: content) }
            found = JPEGFile(
                width: Int(bytes[content + 3]) << 8 | Int(bytes[content + 4]),
                height: Int(bytes[content + 1]) << 8 | Int(bytes[content + 2]), components: Int(bytes[content + 5]))
        }
        guard let found else { throw .noFrame }
        guard found.width > 0, found.height > 0 else { throw .noPixels }
        guard found.components == 1 || found.components == 3 else { throw .components(found.components) }
        guard Self.ends(bytes, from: at) else { throw .noEnd }
        self = found
    }

    private init(width: Int, height: Int, components: Int) {
        self.width = width
        self.height = height
        self.components = components
    }

    private enum Marker {
        static let start: UInt8 = 0xD8
        static let end: UInt8 = 0xD9
        static let scan: UInt8 = 0xDA
        /// Start of frame, in its 16 kinds …
        static let frames: ClosedRange<UInt8> = 0xC0...0xCF
        /// … less three that mean something else.
        static let others: [UInt8] = [0xC4, 0xC8, 0xCC]
        /// Without a length.
        static let standalone: [UInt8] = [0x01, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7]
    }

    /// The marker at `at`, which then points behind it; nil when there is none.
    private static func takeMarker(_ bytes: [UInt8], _ at: inout Int) -> UInt8? {
        guard at < bytes.count, bytes[at] == 0xFF else { return nil }
        // Any number of 0xFF may stand in front.
        while at < bytes.count, bytes[at] == 0xFF { at += 1 }
        guard at < bytes.count, bytes[at] != 0 else { return nil }
        defer { at += 1 }
        return bytes[at]
    }

    /// True when the marker of the end comes at `start` or later: half a file has none.
    private static func ends(_ bytes: [UInt8], from start: Int) -> Bool {
        var at = bytes.count - 2
        while at >= start {
            if bytes[at] == 0xFF, bytes[at + 1] == Marker.end { return true }
            at -= 1
        }
        return false
    }
}

/// Why bytes are no JPEG file that a camera can deliver.
public enum JPEGFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// It does not begin as one.
    case noStart
    /// A segment has no marker, or is longer than the file.
    case damagedSegment(at: Int)
    /// Nothing tells how large the picture is.
    case noFrame
    /// A picture without pixels, or whose height comes at its end.
    case noPixels
    /// Neither gray nor in three colours.
    case components(Int)
    /// The end is missing.
    case noEnd

    /// For people.
    public var description: String {
        switch self {
        case .noStart: "it is no JPEG file"
        case .damagedSegment(let place): "it is damaged at byte \(place)"
        case .noFrame: "it does not tell how large the picture is"
        case .noPixels: "the picture has no pixels"
        case .components(let count): "it has \(count) colour components; 1 and 3 can be shown"
        case .noEnd: "its end is missing"
        }
    }
}

extension Brick {
    /// A picture of a JPEG file, whose bytes stay as they are.
    public init(jpeg file: [UInt8], timestamp: UInt64) throws {
        let header = try JPEGFile(file)
        try self.init(
            header.components == 1 ? .grayscale8 : .rgb24, .jpeg(quality: 0), width: header.width,
            height: header.height, timestamp: timestamp, data: file)
    }
}
