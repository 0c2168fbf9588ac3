public import IOCOM

// The codecs on arrays: a span cannot be an argument inside `#expect`.

extension FrameHeader {
    /// Length of the frame at the start of `bytes`.
    public static func frameLength(_ bytes: [UInt8], layout: FrameLayout) throws(ProtocolViolation) -> Int? {
        try frameLength(bytes.span.bytes, at: 0, layout: layout)
    }

    /// Header of the frame at the start of `bytes`.
    public static func decode(
        _ bytes: [UInt8], layout: FrameLayout
    ) throws(ProtocolViolation) -> (header: FrameHeader, headerLength: Int) {
        try decode(bytes.span.bytes, at: 0, layout: layout)
    }

    /// Checks the checksum of a whole serial frame.
    public static func serialChecksumMatches(_ bytes: [UInt8]) -> Bool {
        serialChecksumMatches(bytes.span.bytes, at: 0, length: bytes.count)
    }
}

extension Authentication {
    /// Parses a payload.
    public init(_ bytes: [UInt8], frameSize: UInt32) throws(ProtocolViolation) {
        try self.init(bytes.span.bytes, frameSize: frameSize)
    }
}

extension BlockInfo {
    /// Parses a payload.
    public init(_ bytes: [UInt8], id: UInt32) throws(ProtocolViolation) { try self.init(bytes.span.bytes, id: id) }
}

extension RemoveRequest {
    /// Parses a payload.
    public init(_ bytes: [UInt8], count: UInt32) throws(ProtocolViolation) {
        try self.init(bytes.span.bytes, count: count)
    }
}

extension SocketHandshake {
    /// Parses the start of a connection.
    public init?(_ bytes: [UInt8], offset: inout Int) throws(ProtocolViolation) {
        try self.init(bytes.span.bytes, offset: &offset)
    }
}

extension PackedInteger {
    /// Reads a number.
    public static func decode(_ bytes: [UInt8], offset: inout Int) throws(PackedIntegerError) -> Int64 {
        try decode(bytes.span.bytes, offset: &offset)
    }
}

extension ZeroRun {
    /// Length after decoding.
    public static func decodedLength(_ bytes: [UInt8]) throws(ProtocolViolation) -> Int {
        try decodedLength(bytes.span.bytes)
    }

    /// Bytes after decoding.
    public static func decoded(_ bytes: [UInt8]) throws(ProtocolViolation) -> [UInt8] {
        let length = try decodedLength(bytes)
        return encoded(max(1, length)) { out in
            decode(bytes.span.bytes, into: UnsafeMutableRawBufferPointer(rebasing: out[..<length]), adding: false)
            return length
        }
    }
}
