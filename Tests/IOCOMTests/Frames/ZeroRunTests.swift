import IOCOM
import IOCOMTestSupport
import Testing

/// A second implementation of the reference encoder's rules, written only from their text (wire-protocol.md 5.3).
private func simpleEncode(_ input: [UInt8], limit: Int) -> (bytes: [UInt8], covered: Int)? {
    if input.count < 4 { return nil }
    var out: [UInt8] = []
    var position = 0
    while true {
        let most = min(255, input.count - position)
        var run: [UInt8] = []
        while run.count < most {
            let here = input[position + run.count]
            let isLast = run.count == most - 1
            let next: UInt8 = isLast ? 0 : input[position + run.count + 1]
            if here == 0 && next == 0 { break }
            run.append(here)
        }
        if out.count + 1 + run.count > limit { break }
        out.append(UInt8(run.count))
        out += run
        position += run.count
        if position == input.count || out.count == limit { break }
        let zeros = input[position...].prefix(255).prefix { $0 == 0 }.count
        out.append(UInt8(zeros))
        position += zeros
        if position == input.count { break }
    }
    return out.count < position ? (out, position) : nil
}

private func expand(_ code: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var at = 0
    while at < code.count {
        let literals = Int(code[at])
        out += code[(at + 1)..<(at + 1 + literals)]
        at += 1 + literals
        if at < code.count {
            out += [UInt8](repeating: 0, count: Int(code[at]))
            at += 1
        }
    }
    return out
}

private func encode(_ input: [UInt8], limit: Int = 16384) -> (bytes: [UInt8], covered: Int)? {
    var covered = 0
    let bytes = encoded(max(1, limit)) { out in
        let out = UnsafeMutableRawBufferPointer(rebasing: out[..<limit])
        let result = input.withUnsafeBytes { ZeroRun.encode($0, into: out) }
        covered = result.covered
        return result.written
    }
    return covered == 0 ? nil : (bytes, covered)
}

/// Bytes with runs of zeros and of other values, of lengths around the limits.
private func randomInput(_ random: inout Seeded) -> [UInt8] {
    var input: [UInt8] = []
    let length = random.below(random.oneIn(4) ? 1500 : 40)
    while input.count < length {
        let run = random.oneIn(6) ? 250 + random.below(12) : 1 + random.below(6)
        let zeros = random.oneIn(2)
        for _ in 0..<run { input.append(zeros ? 0 : UInt8(1 + random.below(255))) }
    }
    return Array(input.prefix(length))
}

@Suite struct ZeroRunTests {
    @Test(arguments: [
        ("01 00 00", nil),
        ("00 00 00 00", "00 04"),
        ("01 00 00 00", "01 01 03"),
        ("00 00 00 00 00 05", "00 05 01 05"),
        ("00 01 00 00 00 00 00", "02 00 01 05"),
        ("01 00 02 00 00 00 00 03", "03 01 00 02 04 01 03"),
        ("01 00 00 00 00 00 02 00", "01 01 05 01 02 01"),
        ("01 02 03 04 05", nil),
    ])
    func `The outputs of the original encoder are reproduced`(_ input: String, _ output: String?) {
        let result = encode(hex(input))
        #expect(result?.bytes == output.map(hex))
        if let result { #expect(result.covered == hex(input).count) }
    }

    @Test func `The long outputs of the original encoder are reproduced`() {
        let ones = [UInt8](repeating: 1, count: 300)
        let zeros = { [UInt8](repeating: 0, count: $0) }
        #expect(encode(zeros(300))?.bytes == hex("00 FF 00 2D"))
        var long = hex("FF")
        long += ones.prefix(255)
        long += [0, 45]
        long += ones.prefix(45)
        long.append(100)
        #expect(encode(ones + zeros(100))?.bytes == long)
        let most = Array(ones.prefix(254))
        let input = most + hex("00 01 01") + zeros(43)
        let output = hex("FE") + most + hex("01 02 01 01 2B")
        #expect(encode(input)?.bytes == output)
        var fifths = [UInt8](repeating: 0, count: 100)
        for i in 0..<20 { fifths[5 * i] = UInt8(i + 1) }
        let result = encode(fifths, limit: 10)
        #expect(result?.bytes == hex("01 01 04 01 02 04 01 03 04"))
        #expect(result?.covered == 15)
    }

    @Test func `Forty thousand random inputs give what the second implementation gives`() {
        var random = Seeded(53)
        var compressed = 0
        for _ in 0..<40_000 {
            let input = randomInput(&random)
            let limit = random.oneIn(3) ? random.below(30) : random.below(1600)
            let expected = simpleEncode(input, limit: limit)
            let result = encode(input, limit: limit)
            guard result?.bytes == expected?.bytes, result?.covered == expected?.covered else {
                Issue.record("limit \(limit), input \(hexText(input))")
                return
            }
            guard let result else { continue }
            compressed += 1
            guard expand(result.bytes) == Array(input.prefix(result.covered)) else {
                Issue.record("does not decode: limit \(limit), input \(hexText(input))")
                return
            }
        }
        #expect(compressed > 20_000)
    }

    @Test func `Giving up early changes the answer to nothing or not at all`() {
        var random = Seeded(54)
        for _ in 0..<5_000 {
            let input = randomInput(&random)
            let full = encode(input)
            var covered = 0
            let early = encoded { out in
                let result = input.withUnsafeBytes { ZeroRun.encode($0, into: out, giveUpAfter: 64) }
                covered = result.covered
                return result.written
            }
            #expect(covered == 0 || (early == full?.bytes && covered == full?.covered))
        }
    }

    @Test func `Decoding sets or adds, tells its length before, and cuts at the end`() throws {
        var random = Seeded(55)
        for _ in 0..<5_000 {
            let input = randomInput(&random)
            guard let code = encode(input) else { continue }
            #expect(try ZeroRun.decodedLength(code.bytes) == code.covered)
            let size = random.oneIn(2) ? code.covered : random.below(code.covered + 10)
            let before = random.bytes(size)
            for adding in [false, true] {
                let after = encoded(max(1, size)) { out in
                    let out = UnsafeMutableRawBufferPointer(rebasing: out[..<size])
                    out.copyBytes(from: before)
                    ZeroRun.decode(code.bytes.span.bytes, into: out, adding: adding)
                    return size
                }
                var expected = before
                for i in 0..<min(size, code.covered) { expected[i] = adding ? before[i] &+ input[i] : input[i] }
                #expect(after == expected)
            }
        }
    }

    @Test(arguments: ["03 01 02", "01", "00 05 FF 01", "02 00 01 05 04 01"])
    func `A literal run longer than the payload is a violation`(_ payload: String) {
        let bytes = hex(payload)
        #expect(throws: ProtocolViolation.compression) { _ = try ZeroRun.decodedLength(bytes) }
    }

    @Test func `A stream may end behind a literal run, a zero count, or be empty`() throws {
        for (code, length) in [("", 0), ("00", 0), ("01 05", 1), ("01 05 04", 5), ("00 00", 0), ("00 FF 00 FF", 510)] {
            let bytes = hex(code)
            #expect(try ZeroRun.decodedLength(bytes) == length)
        }
    }
}
