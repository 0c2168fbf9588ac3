/// CRC-16/MODBUS, the checksum of serial frames, streams and packed JSON (wire-protocol.md 2.4, application-layer.md 2.3).
///
/// Reflected polynomial 0xA001, initial value 0xFFFF, no final XOR; the check value of "123456789" is 0x4B37.
public struct CRC16: Sendable, Equatable {
    /// The checksum of everything that was added so far.
    public private(set) var value: UInt16 = 0xFFFF

    /// Starts with nothing added.
    public init() {}

    /// Adds one byte.
    @inlinable
    public mutating func add(_ byte: UInt8) {
        update(CRC16Tables.shared.step(value, byte))
    }

    /// Adds all bytes of `span`.
    public mutating func add(_ span: RawSpan) {
        var crc = value
        var i = 0
        let end = span.byteCount
        let tables = CRC16Tables.shared
        // Eight bytes a step: each table advances its byte by the number of bytes that follow it in the step.
        while end - i >= 8 {
            let word = span.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self).littleEndian ^ UInt64(crc)
            crc = tables.step8(word)
            i += 8
        }
        while i < end {
            crc = tables.step(crc, span.unsafeLoad(fromByteOffset: i, as: UInt8.self))
            i += 1
        }
        value = crc
    }

    @usableFromInline
    mutating func update(_ value: UInt16) { self.value = value }

    /// The checksum of one run of bytes.
    public static func of(_ span: RawSpan) -> UInt16 {
        var crc = CRC16()
        crc.add(span)
        return crc.value
    }

    /// The checksum of an array.
    public static func of(_ bytes: [UInt8]) -> UInt16 { of(bytes.span.bytes) }
}

#if hasFeature(Embedded)
/// Without tables: a microcontroller has more time than flash.
@usableFromInline
struct CRC16Tables: Sendable {
    @usableFromInline static let shared = CRC16Tables()

    @usableFromInline
    func step(_ crc: UInt16, _ byte: UInt8) -> UInt16 {
        var crc = crc ^ UInt16(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xA001 : crc >> 1 }
        return crc
    }

    func step8(_ word: UInt64) -> UInt16 {
        var crc: UInt16 = 0
        for i in 0..<8 { crc = step(crc, UInt8(truncatingIfNeeded: word >> UInt64(8 * i))) }
        return crc
    }
}
#else
/// Eight tables of 256 entries ("slicing by eight").
@usableFromInline
final class CRC16Tables: Sendable {
    @usableFromInline static let shared = CRC16Tables()
    private let table: [UInt16]

    private init() {
        var table = [UInt16](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt16(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xA001 : crc >> 1 }
            table[byte] = crc
        }
        for slice in 1..<8 {
            for byte in 0..<256 {
                let before = table[(slice - 1) * 256 + byte]
                table[slice * 256 + byte] = (before >> 8) ^ table[Int(before & 0xFF)]
            }
        }
        self.table = table
    }

    @usableFromInline
    func step(_ crc: UInt16, _ byte: UInt8) -> UInt16 {
        (crc >> 8) ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)]
    }

    @inline(__always)
    func step8(_ word: UInt64) -> UInt16 {
        table.withUnsafeBufferPointer { t in
            var crc: UInt16 = 0
            for i in 0..<8 {
                crc ^= t[(7 - i) * 256 + Int(UInt8(truncatingIfNeeded: word >> UInt64(8 * i)))]
            }
            return crc
        }
    }
}
#endif
