@testable import IOCOM
import IOCOMTestSupport
import Testing

@Suite struct ByteRunsTests {
    /// Every start and end around the eight bytes that are looked at together.
    @Test func `A run ends where another value begins, at its end, or before it starts`() {
        for length in 0...20 {
            for other in 0...length {
                var bytes = [UInt8](repeating: 0xFF, count: length)
                if other < length { bytes[other] = 0x7F }
                for start in 0...length {
                    let expected = other < start ? length - start : other - start
                    bytes.withUnsafeBytes { #expect($0.run(of: 0xFF, from: start, to: length) == expected) }
                }
            }
        }
    }

    @Test func `A run outside of the bytes is empty`() {
        [UInt8](repeating: 0, count: 4).withUnsafeBytes { bytes in
            #expect(bytes.run(of: 0, from: -1, to: 4) == 0)
            #expect(bytes.run(of: 0, from: 0, to: 5) == 0)
            #expect(bytes.run(of: 0, from: 3, to: 2) == 0)
        }
    }

    @Test func `Clearing touches exactly its range, cut to the buffer`() {
        for (start, end) in [(0, 24), (3, 20), (3, 4), (7, 7), (9, 5), (-2, 3), (20, 99)] {
            var bytes = [UInt8](repeating: 5, count: 24)
            bytes.withUnsafeMutableBytes { $0.clear(from: start, to: end) }
            #expect(bytes.indices.allSatisfy { bytes[$0] == ($0 >= start && $0 < end ? 0 : 5) })
        }
    }
}
