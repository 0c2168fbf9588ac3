/// The two header layouts (wire-protocol.md 2.2).
public enum FrameLayout: Sendable {
    /// TCP and TLS: no checksum, 16 bit data size.
    case socket
    /// Serial line: checksum, 8 bit data size.
    case serial

    /// Header bytes with one byte each for id and address.
    var shortestHeader: Int { self == .socket ? 6 : 7 }
    /// Where the flags byte is.
    var flagsOffset: Int { self == .socket ? 1 : 3 }
    /// Bytes of an acknowledge.
    public var acknowledgeLength: Int { self == .socket ? 4 : 3 }
}

/// Flags byte of a frame.
public struct FrameFlags: OptionSet, Sendable {
    /// The byte on the wire.
    public let rawValue: UInt8
    /// From the wire or from constants.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Payload is added to the previous values.
    public static let delta = FrameFlags(rawValue: 1)
    /// Payload is zero-run coded.
    public static let compressed = FrameFlags(rawValue: 2)
    /// Address field has 2 bytes.
    public static let address2 = FrameFlags(rawValue: 4)
    /// Block id field has 2 bytes.
    public static let id2 = FrameFlags(rawValue: 8)
    /// Last frame of a snapshot.
    public static let syncComplete = FrameFlags(rawValue: 16)
    /// Payload is a system message.
    public static let system = FrameFlags(rawValue: 32)
    /// An extra flags byte is present.
    public static let extra = FrameFlags(rawValue: 128)
}

/// Header of a data or system frame, without the serial checksum.
public struct FrameHeader: Equatable, Sendable {
    /// 0 for the first frame of a connection, then 1…200 over and over.
    public var number: UInt8
    /// Flags, width flags included as found on the wire; when encoding they are chosen from the values.
    public var flags: FrameFlags
    /// Receiver's block id, or what wire-protocol.md 2.5 says for system frames.
    public var blockID: UInt32
    /// Address of the first byte.
    public var address: UInt32
    /// Payload bytes.
    public var dataSize: Int

    /// Composes a header.
    public init(number: UInt8, flags: FrameFlags, blockID: UInt32, address: UInt32, dataSize: Int) {
        self.number = number
        self.flags = flags
        self.blockID = blockID
        self.address = address
        self.dataSize = dataSize
    }

    /// Bits of the extra flags byte.
    private enum Extra {
        static let address4: UInt8 = 1
        static let id4: UInt8 = 2
        static let always: UInt8 = 128
    }

    /// Length of the header for these values when it is encoded.
    public static func length(blockID: UInt32, address: UInt32, layout: FrameLayout) -> Int {
        let id = fieldWidth(blockID)
        let at = fieldWidth(address)
        return layout.shortestHeader - 2 + id + at + (id == 4 || at == 4 ? 1 : 0)
    }

    /// Length of the whole frame that starts at `offset`; nil when more bytes are needed to know it.
    public static func frameLength(
        _ bytes: RawSpan, at offset: Int, layout: FrameLayout
    ) throws(ProtocolViolation) -> Int? {
        guard let widths = try FieldWidths(bytes, at: offset, layout: layout) else { return nil }
        return widths.header + widths.dataSize
    }

    /// Decodes the header of a frame that is completely present at `offset`; `headerLength` is where its payload starts.
    public static func decode(
        _ bytes: RawSpan, at offset: Int, layout: FrameLayout
    ) throws(ProtocolViolation) -> (header: FrameHeader, headerLength: Int) {
        guard let widths = try FieldWidths(bytes, at: offset, layout: layout) else { throw .truncatedMessage }
        var at = offset + widths.header - widths.id - widths.address
        let id = try bytes.takeUnsigned(&at, width: widths.id)
        let address = try bytes.takeUnsigned(&at, width: widths.address)
        var first = offset
        let number = try bytes.takeByte(&first)
        let header = FrameHeader(
            number: number, flags: widths.flags, blockID: id, address: address, dataSize: widths.dataSize)
        return (header, widths.header)
    }

    /// Writes the header at the start of `out` and returns its length; 0 when it does not fit.
    ///
    /// The checksum of the serial layout is left zero: see ``sealSerial(_:)``.
    public func encode(into out: UnsafeMutableRawBufferPointer, layout: FrameLayout) -> Int {
        let idWidth = fieldWidth(blockID)
        let addressWidth = fieldWidth(address)
        let widthFlags: FrameFlags = [.address2, .id2, .extra]
        var flags = self.flags.subtracting(widthFlags)
        if idWidth == 2 { flags.insert(.id2) }
        if addressWidth == 2 { flags.insert(.address2) }
        if idWidth == 4 || addressWidth == 4 { flags.insert(.extra) }
        var writer = WireWriter(out)
        writer.put(number)
        if layout == .serial { writer.put(0, width: 2) }
        writer.put(flags.rawValue)
        writer.put(UInt32(truncatingIfNeeded: dataSize), width: layout == .socket ? 2 : 1)
        if flags.contains(.extra) {
            writer.put(
                Extra.always | (addressWidth == 4 ? Extra.address4 : 0) | (idWidth == 4 ? Extra.id4 : 0))
        }
        writer.put(blockID, width: idWidth)
        writer.put(address, width: addressWidth)
        return writer.overflowed ? 0 : writer.count
    }

    /// Puts the checksum into a complete serial frame.
    public static func sealSerial(_ frame: UnsafeMutableRawBufferPointer) {
        guard frame.count >= 3 else { return }
        frame[1] = 0
        frame[2] = 0
        let crc = CRC16.of(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(frame)))
        frame[1] = UInt8(truncatingIfNeeded: crc)
        frame[2] = UInt8(truncatingIfNeeded: crc >> 8)
    }

    /// True when the checksum of the complete serial frame at `offset` matches.
    public static func serialChecksumMatches(_ bytes: RawSpan, at offset: Int, length: Int) -> Bool {
        guard length >= 3, offset >= 0, length <= bytes.byteCount - offset else { return false }
        var crc = CRC16()
        crc.add(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
        crc.add(0)
        crc.add(0)
        crc.add(bytes.extracting((offset + 3)..<(offset + length)))
        let found =
            UInt16(bytes.unsafeLoad(fromByteOffset: offset + 1, as: UInt8.self))
            | UInt16(bytes.unsafeLoad(fromByteOffset: offset + 2, as: UInt8.self)) << 8
        return crc.value == found
    }

    /// Widths of the fields of a frame as its flags tell.
    private struct FieldWidths {
        var flags: FrameFlags
        var header: Int
        var dataSize: Int
        var id: Int
        var address: Int

        init?(_ bytes: RawSpan, at offset: Int, layout: FrameLayout) throws(ProtocolViolation) {
            var at = offset + layout.flagsOffset
            let sizeWidth = layout == .socket ? 2 : 1
            guard bytes.byteCount - at >= 1 + sizeWidth else { return nil }
            flags = FrameFlags(rawValue: try bytes.takeByte(&at))
            dataSize = Int(try bytes.takeUnsigned(&at, width: sizeWidth))
            var extra: UInt8 = 0
            if flags.contains(.extra) {
                guard bytes.byteCount > at else { return nil }
                extra = try bytes.takeByte(&at)
                guard extra != 0 else { throw .emptyExtraFlags }
            }
            id = extra & Extra.id4 != 0 ? 4 : flags.contains(.id2) ? 2 : 1
            address = extra & Extra.address4 != 0 ? 4 : flags.contains(.address2) ? 2 : 1
            header = at - offset + id + address
        }
    }
}
