/// Block info: a node tells a peer the name, size, flags and id of one memory block (wire-protocol.md 3.1).
public struct BlockInfo: Equatable, Sendable {
    /// The sender's id of the block.
    public var id: UInt32
    /// Name; the number may be one of ``AutomaticNumber``.
    public var path: BlockPath
    /// Size in bytes as the sender has it. Not to be trusted: bound it before use.
    public var size: UInt32
    /// The sender's flags.
    public var flags: BlockFlags

    private enum Bit {
        static let number2: UInt8 = 2
        static let number4: UInt8 = 4
        static let size2: UInt8 = 8
        static let size4: UInt8 = 16
        static let flags2: UInt8 = 32
        static let device: UInt8 = 64
        static let block: UInt8 = 128
    }

    /// Composes a block info.
    public init(id: UInt32, path: BlockPath, size: UInt32, flags: BlockFlags) {
        self.id = id
        self.path = path
        self.size = size
        self.flags = flags
    }

    /// Parses the payload of a system frame of type 1.
    public init(_ payload: RawSpan, id: UInt32) throws(ProtocolViolation) {
        var at = 1
        let bits = try payload.takeByte(&at)
        let numberWidth = bits & Bit.number4 != 0 ? 4 : bits & Bit.number2 != 0 ? 2 : 1
        let sizeWidth = bits & Bit.size4 != 0 ? 4 : bits & Bit.size2 != 0 ? 2 : 1
        let number = try payload.takeUnsigned(&at, width: numberWidth)
        size = try payload.takeUnsigned(&at, width: sizeWidth)
        flags = BlockFlags(
            rawValue: UInt16(try payload.takeUnsigned(&at, width: bits & Bit.flags2 != 0 ? 2 : 1)))
        var device = DeviceName()
        var network = NetworkName()
        var block = BlockName()
        if bits & Bit.device != 0 {
            device = try payload.takeText(&at, as: DeviceName.self)
            network = try payload.takeText(&at, as: NetworkName.self)
        }
        if bits & Bit.block != 0 { block = try payload.takeText(&at, as: BlockName.self) }
        path = BlockPath(block: block, device: DevicePath(name: device, number: number, network: network))
        self.id = id
    }

    /// Writes the payload; the number of bytes, or 0 when it does not fit.
    public func encode(into out: UnsafeMutableRawBufferPointer) -> Int {
        let numberWidth = fieldWidth(path.device.number)
        let sizeWidth = fieldWidth(size)
        var bits: UInt8 = 0
        if numberWidth == 2 { bits |= Bit.number2 }
        if numberWidth == 4 { bits |= Bit.number4 }
        if sizeWidth == 2 { bits |= Bit.size2 }
        if sizeWidth == 4 { bits |= Bit.size4 }
        if flags.rawValue > 0xFF { bits |= Bit.flags2 }
        if !path.device.name.isEmpty { bits |= Bit.device }
        if !path.block.isEmpty { bits |= Bit.block }
        var writer = WireWriter(out)
        writer.put(SystemMessage.blockInfo)
        writer.put(bits)
        writer.put(path.device.number, width: numberWidth)
        writer.put(size, width: sizeWidth)
        writer.put(UInt32(flags.rawValue), width: flags.rawValue > 0xFF ? 2 : 1)
        if bits & Bit.device != 0 {
            writer.put(path.device.name)
            writer.put(path.device.network)
        }
        if bits & Bit.block != 0 { writer.put(path.block) }
        return writer.overflowed ? 0 : writer.count
    }

    /// Longest payload a block info can have.
    static let longest = 1 + 1 + 4 + 4 + 2 + 16 + 24 + 16
}
