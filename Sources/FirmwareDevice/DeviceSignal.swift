import IOCOM

/// A signal at a known place. Numbers are written without the conversions of ``Signal``, which need floating point: that
/// is code a microcontroller without it would carry for nothing.
enum DeviceSignal {
    /// A whole number of 1, 2, 4 or 8 bytes; width 0 is a boolean, which lives in its state byte.
    case number(at: Int, width: Int)
    /// A text.
    case text(at: Int, count: Int)

    private static var connected: UInt8 { 2 }

    /// Writes a number; does nothing to a text.
    func set(_ value: UInt64, in block: MemoryBlock) {
        guard case .number(let address, let width) = self else { return }
        if width > 0 { block.setUnsigned(value, at: address + 1, width: width) }
        block.setByte(value == 0 ? Self.connected : Self.connected | 1, at: address)
    }

    /// Writes a text, cut to what the signal holds; does nothing to a number.
    func set(_ text: RawSpan, in block: MemoryBlock) {
        guard case .text(let address, let count) = self, let signal = Signal(.str, at: address, count: count) else {
            return
        }
        signal.setText(text.extracting(first: min(count, text.byteCount)), in: block)
    }

    /// Writes a text.
    func set(_ text: StaticString, in block: MemoryBlock) {
        text.withUTF8Buffer { set($0.span.bytes, in: block) }
    }

    /// Writes a text.
    func set<let limit: Int>(_ text: ShortText<limit>, in block: MemoryBlock) {
        var bytes = InlineArray<limit, UInt8>(repeating: 0)
        for i in 0..<text.count { bytes[i] = text[i] }
        set(bytes.span.bytes.extracting(first: text.count), in: block)
    }

    /// A boolean that is valid and true.
    func isTrue(in block: MemoryBlock) -> Bool {
        guard case .number(let address, _) = self else { return false }
        return block.byte(at: address) & 3 == 3
    }
}
