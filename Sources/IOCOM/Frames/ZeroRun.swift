/// Zero-run coding of payloads (wire-protocol.md 5.3): a literal count with its bytes, a zero count, and so on.
public enum ZeroRun {
    /// Shorter ranges are never compressed.
    public static let shortestInput = 4

    /// Encodes as much of `source` as fits into `out`, byte for byte as the reference encoder does.
    ///
    /// Returns how many bytes were written and how many of `source` they cover; (0, 0) when `source` is too short or when
    /// the code is not shorter than what it covers. With `giveUpAfter` the attempt ends early, with the same answer, when
    /// nothing was gained over so many bytes of input; the reference encoder has no such limit.
    public static func encode(
        _ source: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer, giveUpAfter: Int = .max
    ) -> (written: Int, covered: Int) {
        guard source.count >= shortestInput else { return (0, 0) }
        var written = 0
        var covered = 0
        while covered < source.count {
            let literals = literalRun(source, from: covered)
            guard written + 1 + literals <= out.count else { break }
            out[written] = UInt8(literals)
            if literals > 0 {
                UnsafeMutableRawBufferPointer(rebasing: out[(written + 1)..<(written + 1 + literals)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[covered..<(covered + literals)]))
            }
            written += 1 + literals
            covered += literals
            guard covered < source.count, written < out.count else { break }
            let zeros = zeroRun(source, from: covered)
            out[written] = UInt8(zeros)
            written += 1
            covered += zeros
            if covered >= giveUpAfter && written >= covered { return (0, 0) }
        }
        return written < covered ? (written, covered) : (0, 0)
    }

    /// Length of the literal run at `start`, at most 255: a single zero between other values belongs to it.
    private static func literalRun(_ source: UnsafeRawBufferPointer, from start: Int) -> Int {
        let limit = min(255, source.count - start)
        var i = 0
        while i < limit {
            if source[start + i] == 0 && (i + 1 >= limit || source[start + i + 1] == 0) { break }
            i += 1
        }
        return i
    }

    private static func zeroRun(_ source: UnsafeRawBufferPointer, from start: Int) -> Int {
        source.run(of: 0, from: start, to: min(start + 255, source.count))
    }

    /// Number of bytes that `payload` decodes to; an error when a literal run is longer than the payload.
    public static func decodedLength(_ payload: RawSpan) throws(ProtocolViolation) -> Int {
        var at = 0
        var length = 0
        while at < payload.byteCount {
            let literals = Int(try payload.takeByte(&at))
            guard literals <= payload.byteCount - at else { throw .compression }
            at += literals
            length += literals
            if at < payload.byteCount { length += Int(try payload.takeByte(&at)) }
        }
        return length
    }

    /// Decodes a payload that ``decodedLength(_:)`` accepted to the start of `out`; what goes past its end is cut.
    ///
    /// With `adding` the values are added to those in `out` (DELTA), so that zeros change nothing.
    public static func decode(_ payload: RawSpan, into out: UnsafeMutableRawBufferPointer, adding: Bool) {
        payload.withUnsafeBytes { source in
            var at = 0
            var to = 0
            while at < source.count && to < out.count {
                let literals = min(Int(source[at]), source.count - at - 1)
                copy(source, at + 1, min(literals, out.count - to), to: out, to, adding: adding)
                at += 1 + literals
                to += literals
                guard at < source.count, to < out.count else { break }
                let zeros = Int(source[at])
                if !adding { out.clear(from: to, to: to + zeros) }
                at += 1
                to += zeros
            }
        }
    }

    /// Copies or adds a plain payload to the start of `out`; what goes past its end is cut.
    static func copyPlain(_ payload: RawSpan, into out: UnsafeMutableRawBufferPointer, adding: Bool) {
        payload.withUnsafeBytes { source in
            copy(source, 0, min(source.count, out.count), to: out, 0, adding: adding)
        }
    }

    private static func copy(
        _ source: UnsafeRawBufferPointer, _ from: Int, _ count: Int, to out: UnsafeMutableRawBufferPointer,
        _ at: Int, adding: Bool
    ) {
        guard count > 0 else { return }
        if adding {
            for i in 0..<count { out[at + i] &+= source[from + i] }
        } else {
            UnsafeMutableRawBufferPointer(rebasing: out[at..<(at + count)])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<(from + count)]))
        }
    }
}
