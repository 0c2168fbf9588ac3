/// Writes Intel HEX files.
///
/// A record never crosses a border of 64 KiB, so that readers with and without the wrap of addresses read the same.
public struct IntelHexWriter: Sendable {
    /// How addresses above 64 KiB are said.
    public enum Addressing: Sendable, CaseIterable {
        /// With records of type 04, up to 4 GiB.
        case linear
        /// With records of type 02, up to 1 MiB.
        case segmented
    }

    /// An area that ends behind what the addressing reaches.
    public struct OutOfReach: Error, Equatable, Sendable, CustomStringConvertible {
        /// Address of the area.
        public let address: UInt32

        /// The reason for people.
        public var description: String {
            "the bytes from address 0x\(String(address, radix: 16)) on lie behind what hex records of this kind reach"
        }
    }

    /// The text so far.
    public private(set) var text: [UInt8] = []
    private let addressing: Addressing
    private let recordSize: Int
    private let lineEnd: [UInt8]
    private let digits: [UInt8]
    private var base: UInt32 = 0

    /// A writer of records with at most `recordSize` data bytes, 1 to 255.
    public init(
        addressing: Addressing = .linear, recordSize: Int = 16, isUppercase: Bool = true, lineEnd: String = "\n"
    ) {
        self.addressing = addressing
        self.recordSize = min(max(recordSize, 1), 255)
        self.lineEnd = Array(lineEnd.utf8)
        digits = Array((isUppercase ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
    }

    /// Adds data records for bytes at an address.
    public mutating func add(_ bytes: [UInt8], at address: UInt32) throws(OutOfReach) {
        let reach: UInt64 = addressing == .linear ? 1 << 32 : 1 << 20
        guard UInt64(address) + UInt64(bytes.count) <= reach else { throw OutOfReach(address: address) }
        var done = 0
        while done < bytes.count {
            let place = address + UInt32(done)
            if place >> 16 != base {
                base = place >> 16
                let number = addressing == .linear ? UInt16(base) : UInt16(base << 12)
                record(addressing == .linear ? 4 : 2, 0, [UInt8(number >> 8), UInt8(number & 0xFF)])
            }
            let room = min(recordSize, 0x10000 - Int(place & 0xFFFF))
            let part = bytes[done..<min(bytes.count, done + room)]
            record(0, UInt16(place & 0xFFFF), part)
            done += part.count
        }
    }

    /// Adds a record with the start address.
    public mutating func add(_ start: IntelHexStart) {
        func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
        switch start {
        case .segmented(let segment, let pointer): record(3, 0, bytes(UInt32(segment) << 16 | UInt32(pointer)))
        case .linear(let address): record(5, 0, bytes(address))
        }
    }

    /// Adds the end record and gives the whole text.
    public mutating func finish() -> [UInt8] {
        record(1, 0, [])
        return text
    }

    private mutating func record(_ type: UInt8, _ address: UInt16, _ data: some Collection<UInt8>) {
        var sum: UInt8 = 0
        text.append(UInt8(ascii: ":"))
        func put(_ byte: UInt8, _ text: inout [UInt8]) {
            sum &+= byte
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        for byte in [UInt8(data.count), UInt8(address >> 8), UInt8(address & 0xFF), type] { put(byte, &text) }
        for byte in data { put(byte, &text) }
        put(0 &- sum, &text)
        text += lineEnd
    }
}
