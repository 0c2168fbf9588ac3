/// Single values. Every setter returns false, and changes nothing, when the value does not fit the type or the signal
/// does not lie inside the block; it notes only bytes that differ as changed. State is ``StateBits/connected`` unless
/// given, and its value bit follows wire-protocol.md 6.1.
extension Signal {
    // MARK: Booleans

    /// A boolean; for other single values true when not zero.
    public func bool(in block: MemoryBlock) -> Bool {
        guard fits(in: block.size) else { return false }
        if type == .boolean { return bit(at: 0, in: block) }
        if type == .float || type == .double { return double(in: block) != 0 }
        return stored(at: 0, in: block) != 0
    }

    /// Writes a boolean; numbers become 0 or 1.
    @discardableResult
    public func setBool(_ value: Bool, in block: MemoryBlock, state: StateBits = .connected) -> Bool {
        guard type != .boolean else {
            guard count == 1, fits(in: block.size) else { return false }
            setState(state, isNonzero: value, in: block)
            return true
        }
        return setInteger(value ? 1 : 0, in: block, state: state)
    }

    // MARK: Integers

    /// The whole number; fixed point and floats lose their fraction, texts give 0.
    public func integer(in block: MemoryBlock) -> Int64 {
        switch type {
        case .str: 0
        case .float, .double: Int64(exactly: double(in: block).rounded(.towardZero)) ?? 0
        default: stored(at: 0, in: block) / type.scale
        }
    }

    /// Writes a whole number.
    @discardableResult
    public func setInteger(_ value: Int64, in block: MemoryBlock, state: StateBits = .connected) -> Bool {
        if type == .float || type == .double { return setDouble(Double(value), in: block, state: state) }
        let (scaled, overflow) = value.multipliedReportingOverflow(by: type.scale)
        return !overflow && setStored(scaled, in: block, state: state)
    }

    /// The number as it is stored: tenths or hundredths for fixed point, bits for floats.
    public func stored(in block: MemoryBlock) -> Int64 { stored(at: 0, in: block) }

    /// Writes a number as it is stored: tenths or hundredths for fixed point. False for floats and texts.
    @discardableResult
    public func setStored(_ value: Int64, in block: MemoryBlock, state: StateBits = .connected) -> Bool {
        guard count == 1, fits(in: block.size), let range = type.storedRange, range.contains(value) else {
            return false
        }
        if type != .boolean {
            block.setUnsigned(UInt64(bitPattern: value), at: address + 1, width: type.size)
        }
        setState(state, isNonzero: value != 0, in: block)
        return true
    }

    // MARK: Floats and fixed point

    /// The value as a float: fixed point divided, texts give 0.
    public func double(in block: MemoryBlock) -> Double { double(at: 0, in: block) }

    /// Writes a float; fixed point is rounded to the nearest tenth or hundredth, integers to the nearest integer.
    @discardableResult
    public func setDouble(_ value: Double, in block: MemoryBlock, state: StateBits = .connected) -> Bool {
        guard count == 1, fits(in: block.size) else { return false }
        switch type {
        case .str: return false
        case .float, .double:
            guard let bits = floatBits(value) else { return false }
            block.setUnsigned(bits, at: address + 1, width: type.size)
            // The original tests the bits of the 64 bit value, so minus zero counts as not zero.
            setState(state, isNonzero: value.bitPattern != 0, in: block)
            return true
        default:
            guard let scaled = Int64(exactly: (value * Double(type.scale)).rounded()) else { return false }
            return setStored(scaled, in: block, state: state)
        }
    }

    // MARK: Elements

    /// The stored integer of one element, with its sign; 0 outside.
    func stored(at index: Int, in block: MemoryBlock) -> Int64 {
        if type == .boolean { return bit(at: index, in: block) ? 1 : 0 }
        guard let place = elementAddress(index) else { return 0 }
        let bits = block.unsigned(at: place, width: type.size)
        guard type.isSigned else { return Int64(truncatingIfNeeded: bits) }
        let unused = UInt64(64 - 8 * type.size)
        return Int64(truncatingIfNeeded: bits << unused) >> Int64(unused)
    }

    /// One element as a float; 0 outside.
    func double(at index: Int, in block: MemoryBlock) -> Double {
        switch type {
        case .str: return 0
        case .float:
            return Double(Float(bitPattern: UInt32(truncatingIfNeeded: stored(at: index, in: block))))
        case .double:
            return Double(bitPattern: UInt64(bitPattern: stored(at: index, in: block)))
        default: return Double(stored(at: index, in: block)) / Double(type.scale)
        }
    }

    /// The bits to store; nil for a finite value that a 32 bit float cannot hold.
    func floatBits(_ value: Double) -> UInt64? {
        guard type == .float else { return value.bitPattern }
        let short = Float(value)
        guard short.isFinite || !value.isFinite else { return nil }
        return UInt64(short.bitPattern)
    }
}
