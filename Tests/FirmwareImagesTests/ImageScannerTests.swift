import Crypto
import FirmwareImages
import IOCOM
import Testing

@Suite("Images of microcontroller programs") struct ImageScannerTests {
    static let ram = AddressRange(0x2000_0000, 0x2003_0000)

    static func image(body: Int = 1000, hardware: ShortText<16> = "stm32f429", reset: UInt32 = 0x0800_02A1) -> [UInt8] {
        let size = (0x2A0 + body + 7) & ~7
        var image = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
        for (at, word) in [(0, UInt32(0x2003_0000)), (4, reset)] {
            for i in 0..<4 { image[at + i] = UInt8(truncatingIfNeeded: word >> UInt32(8 * i)) }
        }
        let descriptor = ProgramDescriptor(
            imageSize: UInt32(size + ImageTrailer.size), loadAddress: 0x0800_0000, application: "candy",
            version: "261126-1500", os: "stm32", hardware: hardware, organization: "iocafe")
        image.withUnsafeMutableBytes {
            descriptor.encode(into: UnsafeMutableRawBufferPointer(rebasing: $0[0x200..<0x280]))
        }
        return image + Array("IOCOMEND".utf8) + Array(SHA256.hash(data: image))
    }

    static let target = ImageTarget(
        application: "candy", os: "stm32", hardware: "stm32f429", largest: 1 << 20, loadAddress: 0x0800_0000,
        machine: .cortexM(ram: ram, second: AddressRange(0x1000_0000, 0x1001_0000)))

    static func scan(_ image: [UInt8], pieces: Int = .max, for target: ImageTarget = target) throws(ImageProblem)
        -> ImageDigest
    {
        var scanner = ImageScanner(target)
        var at = 0
        while at < image.count {
            let part = min(pieces, image.count - at)
            try scanner.feed(image.span.bytes.extracting(at..<(at + part)))
            at += part
        }
        return try scanner.finish()
    }

    @Test("a whole image passes in pieces of any size, with the hash that another SHA-256 gives")
    func whole() throws {
        for body in [2, 63, 1000, 5001] {
            let image = Self.image(body: body)
            let expected = Array(SHA256.hash(data: image.dropLast(40)))
            for pieces in [1, 7, 64, 4096, .max] {
                let digest = try Self.scan(image, pieces: pieces)
                #expect((0..<32).map { digest[$0] } == expected)
            }
        }
    }

    @Test("every changed byte and every cut is noticed, and nothing past the descriptor is taken for a wrong board")
    func damage() {
        let image = Self.image(body: 200)
        for at in image.indices {
            var damaged = image
            damaged[at] ^= 0x10
            #expect(throws: ImageProblem.self) { try Self.scan(damaged) }
            if at >= 0x280 {
                #expect(throws: at < image.count - 40 || at >= image.count - 32 ? ImageProblem.hash : .trailer) {
                    try Self.scan(damaged)
                }
            }
            #expect(throws: ImageProblem.tooShort) { try Self.scan(Array(image[..<at])) }
        }
        #expect(throws: ImageProblem.tooLong) { try Self.scan(image + [0]) }
    }

    @Test("what is not for this place is refused when its descriptor is there")
    func refusals() {
        func refused(_ problem: ImageProblem, _ change: (inout ImageTarget) -> Void) {
            var target = Self.target
            change(&target)
            var scanner = ImageScanner(target)
            let start = Array(Self.image()[..<0x280])
            #expect(throws: problem) { try scanner.feed(start.span.bytes) }
        }
        refused(.application) { $0.application = "gina" }
        refused(.os) { $0.os = "teensy" }
        refused(.hardware) { $0.hardware = "stm32l476" }
        refused(.loadAddress(found: 0x0800_0000, expected: 0x0810_0000)) { $0.loadAddress = 0x0810_0000 }
        refused(.tooLarge(size: 1712, limit: 1711)) { $0.largest = 1711 }
        refused(.stackPointer(0x2003_0000)) {
            $0.machine = .cortexM(ram: AddressRange(0x2000_0000, 0x2002_0000), second: AddressRange(0, 0))
        }
        for reset in [UInt32(0x0800_02A0), 0x0900_0001, 0x07FF_FFFF, 1] {
            #expect(throws: ImageProblem.resetVector(reset)) { try Self.scan(Self.image(reset: reset)) }
        }
    }

    @Test("SHA-256 agrees with another implementation at every length")
    func hash() {
        var bytes: [UInt8] = []
        for length in 0..<300 {
            var hash = ImageHash()
            bytes.withUnsafeBytes { hash.add($0) }
            let digest = hash.finished()
            #expect((0..<32).map { digest[$0] } == Array(SHA256.hash(data: bytes)))
            bytes.append(UInt8(truncatingIfNeeded: length &* 7))
        }
    }

    @Test("the checksum has the check value of its kind")
    func checksum() {
        var crc = ImageCRC()
        Array("123456789".utf8).withUnsafeBytes { crc.add($0) }
        #expect(crc.value == 0xCBF4_3926)
    }
}
