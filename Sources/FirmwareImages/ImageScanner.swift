/// Checks an image as it arrives, in pieces of any size, holding only its first words, its descriptor and its hash.
///
/// Nothing may be erased for it before ``descriptor`` is there: until then every reason to refuse it that is known at the
/// start has been looked at.
public struct ImageScanner: Sendable {
    private let target: ImageTarget
    private var head = InlineArray<8, UInt8>(repeating: 0)
    private var described = InlineArray<128, UInt8>(repeating: 0)
    private var trailer = InlineArray<40, UInt8>(repeating: 0)
    private var hash = ImageHash()
    /// What the program says of itself; nil until it arrived and was found to be for this place.
    public private(set) var descriptor: ProgramDescriptor?
    /// Bytes that came.
    public private(set) var count: UInt32 = 0

    /// A scanner for an image that has to be for `target`.
    public init(_ target: ImageTarget) { self.target = target }

    /// True when all bytes of the image have come.
    public var isComplete: Bool { descriptor.map { count == $0.imageSize } ?? false }

    /// Takes the next bytes; throws at the first one that shows that the image is of no use here. After that the scanner is
    /// not to be used any more.
    public mutating func feed(_ bytes: RawSpan) throws(ImageProblem) {
        var at = 0
        while at < bytes.byteCount {
            guard let descriptor else {
                try feedHead(bytes, &at)
                continue
            }
            guard count < descriptor.imageSize else { throw .tooLong }
            let body = descriptor.imageSize - UInt32(ImageTrailer.size)
            if count < body {
                let part = min(bytes.byteCount - at, Int(truncatingIfNeeded: body - count))
                hash.add(bytes.extracting(at..<(at + part)))
                at += part
                count += UInt32(truncatingIfNeeded: part)
            } else {
                trailer[Int(truncatingIfNeeded: count - body)] = bytes.byte(at)
                at += 1
                count += 1
            }
        }
    }

    private mutating func feedHead(_ bytes: RawSpan, _ at: inout Int) throws(ImageProblem) {
        let byte = bytes.byte(at)
        let place = Int(truncatingIfNeeded: count)
        if place < 8 {
            head[place] = byte
        } else if place >= ProgramDescriptor.offset {
            described[place - ProgramDescriptor.offset] = byte
        }
        withUnsafeBytes(of: byte) { hash.add($0) }
        at += 1
        count += 1
        guard place == ProgramDescriptor.offset + ProgramDescriptor.size - 1 else { return }
        let found = try ProgramDescriptor(parsing: described.span.bytes, at: 0)
        try target.check(found, head.span.bytes.word(0), head.span.bytes.word(4))
        descriptor = found
    }

    /// Says that no more bytes come; gives the hash in the trailer when it is right.
    public func finish() throws(ImageProblem) -> ImageDigest {
        guard let descriptor, count == descriptor.imageSize else { throw .tooShort }
        for i in 0..<8 where trailer[i] != ImageTrailer.magic[i] { throw .trailer }
        let digest = hash.finished()
        guard let stored = ImageDigest(trailer.span.bytes, at: 8), stored == digest else { throw .hash }
        return digest
    }
}
