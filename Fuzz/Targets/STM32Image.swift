// modules: IOCOM FirmwareImages PackedJSON ByteTools Programs
// options: -max_len=1000
import ByteTools
import Crypto
import FirmwareImages
import IOCOM
import Programs

/// The image of an STM32 in one piece and in many, for one of the parts there are; an odd first byte makes its descriptor's checksum
/// and size right, a first byte with bit 1 its trailer as well.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    var bytes = Array(input.dropFirst())
    if first & 1 != 0, bytes.count >= 0x2C8 { repair(&bytes, withHash: first & 2 != 0) }
    let (name, load, ram) = parts[Int(first >> 3) % parts.count]
    let target = ImageTarget(
        application: first & 4 == 0 ? ShortText() : text("candy"), os: text("stm32"), hardware: text(name),
        largest: 256 << 10, loadAddress: load,
        machine: .cortexM(ram: AddressRange(0x2000_0000, ram), second: AddressRange(0x1000_0000, 0x1000_8000)))
    let whole = scan(bytes, target, pieces: 0)
    let pieces = scan(bytes, target, pieces: Int(first >> 3) + 1)
    guard whole == pieces else { fatalError("pieces make a difference") }
    let host = try? MicrocontrollerImage(checking: ArraySource(bytes), for: target)
    guard (host == nil) == (whole == nil), host?.digest == whole else { fatalError("two readers differ") }
    guard let host else { return }
    // What must be true of anything that is let in.
    let pointer = word(bytes, 0), reset = word(bytes, 4)
    guard host.size == bytes.count, host.size % 8 == 0, host.hardware == name, host.os == "stm32",
        pointer % 8 == 0, pointer > 0x1000_0000, pointer <= ram, reset & 1 == 1, reset > load,
        reset < load + UInt32(bytes.count), Array(SHA256.hash(data: bytes.dropLast(40))) == whole
    else { fatalError("an image was let in that can't run") }
}

private let parts: [(String, UInt32, UInt32)] = [
    ("stm32f429", 0x0801_0000, 0x2003_0000), ("stm32l476", 0x0801_0000, 0x2001_8000),
    ("stm32f405", 0x0804_0000, 0x2002_0000),
]

private func text<let limit: Int>(_ string: String) -> ShortText<limit> { ShortText(string) ?? ShortText() }

/// The digest of an image that is good.
private func scan(_ bytes: [UInt8], _ target: ImageTarget, pieces: Int) -> [UInt8]? {
    var scanner = ImageScanner(target)
    var at = 0
    do throws(ImageProblem) {
        while at < bytes.count {
            let end = pieces == 0 ? bytes.count : min(bytes.count, at + pieces)
            try scanner.feed(bytes.span.bytes.extracting(at..<end))
            at = end
        }
        return try scanner.finish().bytes
    } catch { return nil }
}

private func word(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
}

/// Makes size, checksum and hash what the format demands, by its description.
private func repair(_ bytes: inout [UInt8], withHash: Bool) {
    bytes.removeLast(bytes.count % 8)
    func put(_ value: UInt32, _ at: Int) {
        for k in 0..<4 { bytes[at + k] = UInt8(truncatingIfNeeded: value >> UInt32(8 * k)) }
    }
    bytes.replaceSubrange(0x200..<0x208, with: "IOCOMPRG".utf8)
    put(UInt32(bytes.count), 0x20C)
    var crc: UInt32 = .max
    for byte in bytes[0x200..<0x27C] {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    put(~crc, 0x27C)
    guard withHash else { return }
    let hash = SHA256.hash(data: bytes.dropLast(40))
    bytes.replaceSubrange(bytes.count - 40..<bytes.count, with: Array("IOCOMEND".utf8) + Array(hash))
}
