import ByteTools
import Crypto

/// Checks an ESP image as its bytes come in, in pieces of any size; holds a few hundred bytes, never the image.
///
/// A wrong header, chip or descriptor is known after `ESPImage.leadSize` bytes, a wrong segment as soon as its header is
/// in; checksum and SHA-256 at the end. The checks are those of the boot loader (ESP-IDF `esp_image_format.c`), and
/// stricter ones where a package needs them: descriptor and SHA-256 must be there.
public struct ESPImageScanner: Sendable {
    private enum Step {
        case header
        case segmentHeader
        case lead
        case data
        case checksum
        case digest
        case complete
    }

    private let limit: Int
    private let expectedChip: ESPChip?
    private var step = Step.header
    /// Bytes of the piece that is being collected and how many it needs.
    private var piece: [UInt8] = []
    private var need = ESPImage.headerSize
    private var hash = SHA256()
    private var computedDigest: [UInt8] = []
    private var checksum: UInt8 = 0xEF
    private var segmentCount = 0
    private var dataLeft = 0
    private var entry: UInt32 = 0
    private var segments: [ESPImage.Segment] = []
    private var record: [UInt8] = []

    /// Bytes taken so far.
    public private(set) var size = 0
    /// The chip, once the header is in.
    public private(set) var chip: ESPChip?
    /// The application, once its descriptor is in.
    public private(set) var application: ESPApplicationDescriptor?
    /// True when the last byte of the image is in.
    public var isComplete: Bool {
        if case .complete = step { true } else { false }
    }

    /// A scanner for images of at most `limit` bytes, for `chip` only when one is given.
    public init(chip: ESPChip? = nil, limit: Int = ESPImage.largestSize) {
        self.limit = limit
        expectedChip = chip
    }

    /// Takes bytes and returns how many belong to the image: fewer than given only when it ended.
    public mutating func feed(_ bytes: [UInt8]) throws(ESPImageError) -> Int {
        var taken = 0
        while taken < bytes.count, !isComplete {
            if size == 0, bytes[taken] != 0xE9 { throw ESPImageError(.notAnImage(first: bytes[taken]), at: 0) }
            if case .data = step {
                let count = min(dataLeft, bytes.count - taken)
                add(bytes[taken..<taken + count], isData: true)
                dataLeft -= count
                taken += count
                if dataLeft == 0 { try segmentEnded() }
            } else {
                let count = min(need - piece.count, bytes.count - taken)
                piece += bytes[taken..<taken + count]
                taken += count
                size += count
                if piece.count == need { try pieceIn() }
            }
            guard size <= limit else { throw ESPImageError(.tooLarge(limit: limit), at: limit) }
        }
        return taken
    }

    /// The image when all of it has come and is good.
    public func finish() throws(ESPImageError) -> ESPImage {
        guard size > 0 else { throw ESPImageError(.empty, at: 0) }
        guard isComplete, let chip, let application else {
            throw ESPImageError(.truncated(in: part), at: size)
        }
        return ESPImage(
            chip: chip, entry: entry, segments: segments, application: application, record: record, size: size,
            digest: computedDigest)
    }

    private var part: String {
        switch step {
        case .header: "its header"
        case .segmentHeader: "the header of segment \(segments.count)"
        case .lead, .data: "segment \(segments.count - 1)"
        case .checksum: "its checksum"
        case .digest: "its SHA-256"
        case .complete: "nothing"
        }
    }

    /// Adds bytes to the sums; those of `piece` were counted in `size` as they came.
    private mutating func add(_ bytes: ArraySlice<UInt8>, isData: Bool) {
        bytes.withUnsafeBytes { buffer in
            hash.update(bufferPointer: buffer)
            if isData { checksum ^= exclusiveOr(buffer) }
        }
        if case .data = step { size += bytes.count }
    }

    private mutating func pieceIn() throws(ESPImageError) {
        let piece = piece
        self.piece = []
        switch step {
        case .header:
            try readHeader(piece)
        case .segmentHeader:
            try readSegmentHeader(piece)
        case .lead:
            add(piece[...], isData: true)
            guard let descriptor = ESPApplicationDescriptor(parsing: piece) else {
                throw ESPImageError(.noDescriptor, at: size - piece.count)
            }
            application = descriptor
            record = Array(piece[ESPApplicationDescriptor.size...])
            step = .data
            if dataLeft == 0 { try segmentEnded() }
        case .checksum:
            let found = piece[piece.count - 1]
            guard found == checksum else {
                throw ESPImageError(.checksum(found: found, computed: checksum), at: size - 1)
            }
            add(piece[...], isData: false)
            computedDigest = Array(hash.finalize())
            step = .digest
            need = SHA256.byteCount
        case .digest:
            guard piece == computedDigest else { throw ESPImageError(.digest, at: size - piece.count) }
            step = .complete
        case .data, .complete:
            break
        }
    }

    private mutating func readHeader(_ bytes: [UInt8]) throws(ESPImageError) {
        add(bytes[...], isData: false)
        segmentCount = Int(bytes[1])
        guard (1...ESPImage.maximumSegments).contains(segmentCount) else {
            throw ESPImageError(.segmentCount(segmentCount), at: 1)
        }
        guard let entry: UInt32 = bytes.number(at: 4), let id: UInt16 = bytes.number(at: 12) else { return }
        self.entry = entry
        let chip = ESPChip(id: id)
        self.chip = chip
        if let expectedChip, chip != expectedChip {
            throw ESPImageError(.otherChip(found: chip, expected: expectedChip), at: 12)
        }
        guard bytes[23] == 1 else { throw ESPImageError(.noDigest, at: 23) }
        step = .segmentHeader
        need = 8
    }

    private mutating func readSegmentHeader(_ bytes: [UInt8]) throws(ESPImageError) {
        add(bytes[...], isData: false)
        guard let address: UInt32 = bytes.number(at: 0), let count: UInt32 = bytes.number(at: 4) else { return }
        let length = Int(count)
        guard length % 4 == 0, length < ESPImage.largestSize else {
            throw ESPImageError(.segmentLength(length), at: size - 4)
        }
        guard length <= limit - size else { throw ESPImageError(.tooLarge(limit: limit), at: size - 4) }
        // The slot starts at a page of 64 KiB, so the place in the image decides.
        let page: UInt32 = 0x10000
        if let chip, chip.isMapped(address), address % page != UInt32(size) % page {
            throw ESPImageError(.segmentPlace(address: address), at: size - 8)
        }
        segments.append(ESPImage.Segment(address: address, offset: size, size: length))
        dataLeft = length
        if segments.count == 1 {
            guard length >= ESPApplicationDescriptor.size, chip?.dataWindow?.contains(address) ?? true else {
                throw ESPImageError(.noDescriptor, at: size - 8)
            }
            need = min(length, ESPApplicationDescriptor.size + ESPImage.recordSize)
            dataLeft -= need
            step = .lead
        } else {
            step = .data
            if length == 0 { try segmentEnded() }
        }
    }

    private mutating func segmentEnded() throws(ESPImageError) {
        if segments.count < segmentCount {
            step = .segmentHeader
            need = 8
        } else {
            step = .checksum
            need = 16 - size % 16
        }
    }
}

/// All bytes combined by exclusive or.
private func exclusiveOr(_ bytes: UnsafeRawBufferPointer) -> UInt8 {
    var words: UInt64 = 0
    var i = 0
    while bytes.count - i >= 8 {
        words ^= bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)
        i += 8
    }
    words ^= words >> 32
    words ^= words >> 16
    words ^= words >> 8
    var result = UInt8(truncatingIfNeeded: words)
    while i < bytes.count {
        result ^= bytes[i]
        i += 1
    }
    return result
}
