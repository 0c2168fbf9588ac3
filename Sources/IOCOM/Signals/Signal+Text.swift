/// Texts: UTF-8 with a NUL behind the last byte unless the text fills the signal (wire-protocol.md 6.2).
extension Signal {
    /// Bytes of the text before its NUL, or all when there is none; 0 for other types.
    public func textLength(in block: MemoryBlock) -> Int {
        guard type == .str, fits(in: block.size) else { return 0 }
        var length = 0
        while length < count, block.byte(at: address + 1 + length) != 0 { length += 1 }
        return length
    }

    /// Lends the bytes of the text, without NUL.
    public func withText<Result>(in block: MemoryBlock, _ body: (RawSpan) -> Result) -> Result {
        let length = textLength(in: block)
        return block.withBytes { bytes in
            body(length == 0 ? bytes.extracting(first: 0) : bytes.extracting(address + 1..<address + 1 + length))
        }
    }

    /// The text in a ``ShortText``; nil when it is longer than that may be.
    public func shortText<let limit: Int>(in block: MemoryBlock) -> ShortText<limit>? {
        withText(in: block) { ShortText<limit>($0, offset: 0, length: $0.byteCount) }
    }

    /// Writes a text and, when there is room, the NUL behind it. Bytes behind the NUL keep what they held.
    ///
    /// Returns false, and changes nothing, when the text is longer than the signal or contains a NUL.
    @discardableResult
    public func setText(_ text: RawSpan, in block: MemoryBlock, state: StateBits = .connected) -> Bool {
        let length = text.byteCount
        guard type == .str, fits(in: block.size), length <= count else { return false }
        for i in 0..<length where text.unsafeLoad(fromByteOffset: i, as: UInt8.self) == 0 { return false }
        // From the first to behind the last byte that differs, as one change: readers elsewhere get it in one piece.
        var first = -1
        var end = 0
        for i in 0..<min(length + 1, count) {
            let byte = i < length ? text.unsafeLoad(fromByteOffset: i, as: UInt8.self) : 0
            guard block.byte(at: address + 1 + i) != byte || block.hasOtherWriters else { continue }
            if first < 0 { first = i }
            end = i + 1
        }
        if first >= 0 {
            block.withChange(of: ByteRange(address + 1 + first, address + 1 + end)) { target in
                for i in first..<end {
                    target[i - first] = i < length ? text.unsafeLoad(fromByteOffset: i, as: UInt8.self) : 0
                }
            }
        }
        setState(state, in: block)
        return true
    }

    /// Writes a short text; see ``setText(_:in:state:)-(RawSpan,_,_)``.
    @discardableResult
    public func setText<let limit: Int>(
        _ text: ShortText<limit>, in block: MemoryBlock, state: StateBits = .connected
    ) -> Bool {
        var bytes = InlineArray<limit, UInt8>(repeating: 0)
        for i in 0..<text.count { bytes[i] = text[i] }
        return setText(bytes.span.bytes.extracting(first: text.count), in: block, state: state)
    }
}

#if !hasFeature(Embedded)
extension Signal {
    /// The text; bytes that are not UTF-8 show as replacement characters. Empty for other types.
    public func text(in block: MemoryBlock) -> String {
        withText(in: block) { span in span.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
    }

    /// Writes a text; see ``setText(_:in:state:)-(RawSpan,_,_)``.
    @discardableResult
    public func setText(_ text: String, in block: MemoryBlock, state: StateBits = .connected) -> Bool {
        setText(Array(text.utf8).span.bytes, in: block, state: state)
    }
}
#endif
