import IOCOM
import IOCOMTestSupport
import Testing

/// Decodes a whole frame and encodes it again.
private func recoded(_ text: String, layout: FrameLayout = .socket) throws -> (header: FrameHeader, bytes: [UInt8]) {
    let frame = hex(text)
    let length = try #require(try FrameHeader.frameLength(frame, layout: layout))
    #expect(length == frame.count)
    let (header, headerLength) = try FrameHeader.decode(frame, layout: layout)
    #expect(headerLength + header.dataSize == frame.count)
    #expect(
        headerLength == FrameHeader.length(blockID: header.blockID, address: header.address, layout: layout))
    let bytes = encoded { out in
        let count = header.encode(into: out, layout: layout)
        for i in headerLength..<frame.count { out[i] = frame[i] }
        if layout == .serial { FrameHeader.sealSerial(UnsafeMutableRawBufferPointer(rebasing: out[..<frame.count])) }
        return count + header.dataSize
    }
    return (header, bytes)
}

@Suite struct FrameHeaderTests {
    @Test(arguments: [
        "00 28 13 00 70 05 00 02 00 06 73 65 72 76 65 72 00 07 63 61 66 65 6E 65 74 00",
        "00 28 11 00 70 05 00 02 10 04 67 69 6E 61 01 07 63 61 66 65 6E 65 74 00",
        "00 20 15 00 00 00 02 02 03 73 72 76 00 00 00 00 00 00 00 00 00 00 00 00 00 02 73",
        "01 20 16 00 08 00 01 C0 01 20 0A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70",
        "03 12 05 00 08 00 03 03 34 12 1D",
        "03 12 02 00 09 00 00 18",
        "04 11 01 00 08 01 01",
        "04 11 02 00 09 04 03 07",
        "05 13 0E 00 08 00 03 FE CD F1 05 03 09 0A 0B 05 03 11 12 13",
        "09 15 03 00 08 AE 0B 32 27 12",
        "06 91 03 00 81 08 D0 01 01 00 77 66 55",
        "06 20 05 00 02 00 03 11 01 10 01",
    ])
    func `The captured socket frames decode and encode to the same bytes`(_ text: String) throws {
        #expect(try recoded(text).bytes == hex(text))
    }

    @Test(arguments: [
        "00 3E E5 20 13 60 00 02 00 06 73 65 72 76 65 72 00 07 63 61 66 65 6E 65 74 00",
        "00 D2 23 20 11 60 00 02 10 04 67 69 6E 61 01 07 63 61 66 65 6E 65 74 00",
        "01 A2 59 20 16 08 00 01 C0 01 20 0A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70",
        "03 34 7A 12 05 08 00 03 03 34 12 1D",
        "04 FD 95 11 01 08 01 01",
    ])
    func `The captured serial frames have the right checksum and encode to the same bytes`(_ text: String) throws {
        let frame = hex(text)
        #expect(FrameHeader.serialChecksumMatches(frame))
        #expect(try recoded(text, layout: .serial).bytes == frame)
        for i in frame.indices {
            var damaged = frame
            damaged[i] ^= 0x10
            #expect(!FrameHeader.serialChecksumMatches(damaged))
        }
    }

    @Test func `Fields of a frame with a four byte address are read`() throws {
        let header = try recoded("06 91 03 00 81 08 D0 01 01 00 77 66 55").header
        #expect(header.number == 6)
        #expect(header.flags.contains([.delta, .syncComplete, .extra]))
        #expect(header.blockID == 8)
        #expect(header.address == 66000)
        #expect(header.dataSize == 3)
    }

    @Test func `Every width of id and address round trips and has the length that was computed`() throws {
        let values: [UInt32] = [0, 1, 0xFF, 0x100, 0xFFFF, 0x1_0000, .max]
        for layout in [FrameLayout.socket, .serial] {
            for id in values {
                for address in values {
                    let header = FrameHeader(
                        number: 200, flags: [.delta], blockID: id, address: address, dataSize: 0)
                    let bytes = encoded { header.encode(into: $0, layout: layout) }
                    #expect(bytes.count == FrameHeader.length(blockID: id, address: address, layout: layout))
                    let (decoded, length) = try FrameHeader.decode(bytes, layout: layout)
                    #expect(length == bytes.count)
                    #expect(decoded.blockID == id && decoded.address == address && decoded.number == 200)
                    #expect(decoded.flags.subtracting([.address2, .id2, .extra]) == .delta)
                    for cut in 0..<bytes.count {
                        let short = encoded(cut) { header.encode(into: $0, layout: layout) }
                        #expect(short.isEmpty, "a header that does not fit is not written")
                    }
                }
            }
        }
    }

    @Test func `A field wider than necessary is accepted, the widest flag wins, and bit 64 is ignored`() throws {
        let wide = hex("07 DC 01 00 83 08 00 00 00 05 00 00 00 AA")
        #expect(try FrameHeader.frameLength(wide, layout: .socket) == wide.count)
        let (header, length) = try FrameHeader.decode(wide, layout: .socket)
        #expect(header.blockID == 8 && header.address == 5 && header.dataSize == 1 && length == 13)
    }

    @Test func `An extra flags byte of zero is a violation`() {
        let frame = hex("00 80 00 00 00 08 00")
        #expect(throws: ProtocolViolation.emptyExtraFlags) {
            _ = try FrameHeader.frameLength(frame, layout: .socket)
        }
    }

    @Test func `The length is unknown until size and extra flags are there`() throws {
        let frame = hex("06 91 03 00 81 08 D0 01 01 00 77 66 55")
        for count in 1..<5 {
            let part = Array(frame[..<count])
            #expect(try FrameHeader.frameLength(part, layout: .socket) == nil)
        }
        let part = Array(frame[..<5])
        #expect(try FrameHeader.frameLength(part, layout: .socket) == 13)
        #expect(throws: ProtocolViolation.truncatedMessage) {
            _ = try FrameHeader.decode(part, layout: .socket)
        }
    }
}
