/// Arrays. Indexes start at 0; reading outside gives zero, writing outside false.
///
/// Element setters leave the state byte alone; call ``setState(_:in:)`` once the array is complete. Only the first
/// element of a bit array is also kept in the state byte.
extension Signal {
    /// One bit of a boolean array, or the boolean itself.
    public func bit(at index: Int, in block: MemoryBlock) -> Bool {
        guard type == .boolean, index >= 0, index < count, fits(in: block.size) else { return false }
        guard count > 1 else { return state(in: block).contains(.value) }
        return block.byte(at: address + 1 + index / 8) >> UInt8(index % 8) & 1 == 1
    }

    /// Writes one bit of a boolean array, least significant bit of the first byte first.
    @discardableResult
    public func setBit(_ value: Bool, at index: Int, in block: MemoryBlock) -> Bool {
        guard type == .boolean, index >= 0, index < count, fits(in: block.size) else { return false }
        if count > 1 {
            let place = address + 1 + index / 8
            let mask: UInt8 = 1 << UInt8(index % 8)
            let byte = block.byte(at: place)
            block.setByte(value ? byte | mask : byte & ~mask, at: place)
        }
        if index == 0 { setState(state(in: block), isNonzero: value, in: block) }
        return true
    }

    /// One element of an array of integers, fixed point (in tenths or hundredths), or bits; 0 for floats and texts.
    public func integer(at index: Int, in block: MemoryBlock) -> Int64 {
        guard fits(in: block.size), type.storedRange != nil else { return 0 }
        return stored(at: index, in: block)
    }

    /// Writes one element of an array of integers, fixed point (in tenths or hundredths), or bits.
    @discardableResult
    public func setInteger(_ value: Int64, at index: Int, in block: MemoryBlock) -> Bool {
        guard fits(in: block.size), let range = type.storedRange, range.contains(value) else { return false }
        guard type != .boolean else { return setBit(value != 0, at: index, in: block) }
        guard let place = elementAddress(index) else { return false }
        block.setUnsigned(UInt64(bitPattern: value), at: place, width: type.size)
        return true
    }

    /// One element of an array of numbers; fixed point is divided.
    public func number(at index: Int, in block: MemoryBlock) -> Double {
        fits(in: block.size) ? double(at: index, in: block) : 0
    }

    /// Writes one element of an array of floats.
    @discardableResult
    public func setNumber(_ value: Double, at index: Int, in block: MemoryBlock) -> Bool {
        guard fits(in: block.size), type == .float || type == .double, let place = elementAddress(index),
            let bits = floatBits(value)
        else { return false }
        block.setUnsigned(bits, at: place, width: type.size)
        return true
    }

    /// Lends the data bytes for reading: elements in order, little endian, no state byte. Empty when the signal does not
    /// lie inside the block.
    public func withData<Result>(in block: MemoryBlock, _ body: (RawSpan) -> Result) -> Result {
        block.withBytes { bytes in
            fits(in: block.size)
                ? body(bytes.extracting(dataRange.start..<dataRange.end)) : body(bytes.extracting(first: 0))
        }
    }

    /// Writes data bytes at `offset` behind the state byte, as rings and frames of a camera are written.
    ///
    /// All of them are noted as changed, whether they differ or not.
    @discardableResult
    public func setData(_ bytes: RawSpan, offset: Int = 0, in block: MemoryBlock) -> Bool {
        guard fits(in: block.size), offset >= 0, offset <= dataLength, bytes.byteCount <= dataLength - offset else {
            return false
        }
        block.write(bytes, at: address + 1 + offset)
        return true
    }
}

#if !hasFeature(Embedded)
extension Signal {
    /// Writes data bytes; see ``setData(_:offset:in:)-(RawSpan,_,_)``.
    @discardableResult
    public func setData(_ bytes: [UInt8], offset: Int = 0, in block: MemoryBlock) -> Bool {
        setData(bytes.span.bytes, offset: offset, in: block)
    }

    /// A copy of the data bytes: elements in order, little endian, no state byte.
    public func data(in block: MemoryBlock) -> [UInt8] {
        withData(in: block) { span in span.withUnsafeBytes { Array($0) } }
    }
}
#endif
