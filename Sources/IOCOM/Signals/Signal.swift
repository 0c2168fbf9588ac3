/// Where a signal lies in its memory block and how its bytes are read (wire-protocol.md 6.2).
///
///     let head = Signal(.int, at: 4)
///     head?.setInteger(17, in: block)
///     block.publish()
///
/// Reading from, or writing to, a block that is too small gives zero values and false and changes nothing: what another
/// node says about its blocks may be wrong.
public struct Signal: Sendable, Hashable {
    /// Type of the value or of the array's elements.
    public let type: SignalType
    /// Address of the state byte; data starts one byte later.
    public let address: Int
    /// Elements of an array, bytes of a text, 1 for a single value.
    public let count: Int

    /// A signal at `address`; nil when the address is negative, the count is less than 1, or the end lies beyond the
    /// largest possible block (``Limit/largestBlock``).
    public init?(_ type: SignalType, at address: Int, count: Int = 1) {
        guard address >= 0, address < Limit.largestBlock, count >= 1, count <= Limit.largestBlock else { return nil }
        self.type = type
        self.address = address
        self.count = count
        guard range.end <= Limit.largestBlock else { return nil }
    }

    /// Bytes behind the state byte.
    public var dataLength: Int {
        guard type == .boolean else { return type.size * count }
        return count > 1 ? (count + 7) / 8 : 0
    }

    /// Bytes with the state byte.
    public var byteLength: Int { 1 + dataLength }

    /// Addresses from the state byte to behind the last byte.
    public var range: ByteRange { ByteRange(address, address + byteLength) }

    /// Addresses of the data.
    public var dataRange: ByteRange { ByteRange(address + 1, address + byteLength) }

    /// True for an array; a text is not one.
    public var isArray: Bool { count > 1 && type != .str }

    /// True when all of the signal lies inside a block of `size` bytes.
    public func fits(in size: Int) -> Bool { range.end <= size }

    /// True when a change of the bytes in `range` touches this signal (wire-protocol.md 6.3).
    public func isTouched(by range: ByteRange) -> Bool { !range.isEmpty && self.range.overlaps(range) }

    /// Address of the element at `index`; nil outside the array, and for booleans, whose elements are bits.
    func elementAddress(_ index: Int) -> Int? {
        guard index >= 0, index < count, type != .boolean else { return nil }
        return address + 1 + index * type.size
    }
}

// MARK: - State

extension Signal {
    /// The state byte.
    public func state(in block: MemoryBlock) -> StateBits { StateBits(rawValue: block.byte(at: address)) }

    /// True when the value is valid (``StateBits/connected``).
    public func isConnected(in block: MemoryBlock) -> Bool { state(in: block).contains(.connected) }

    /// Writes the state byte and nothing else.
    public func setState(_ state: StateBits, in block: MemoryBlock) {
        guard fits(in: block.size) else { return }
        block.setByte(state.rawValue, at: address)
    }

    /// State byte of a value: the caller's state with the value bit as the protocol wants it.
    func setState(_ state: StateBits, isNonzero: Bool, in block: MemoryBlock) {
        setState(isNonzero ? state.union(.value) : state.subtracting(.value), in: block)
    }
}
