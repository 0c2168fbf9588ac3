// modules: IOCOM IOCOMTestSupport
// options: -max_len=128
import IOCOM
import IOCOMTestSupport

/// A value typed for a signal whose type and size are the first two bytes: what is accepted can be written into the block,
/// touches nothing behind the signal, and reads as a value that can be typed and written again without a change. The same
/// bytes as content of the block always read as some value.
func fuzz(_ input: [UInt8]) {
    guard input.count >= 2, let type = SignalType(rawValue: 1 + input[0] % 14),
        let signal = Signal(type, at: Int(input[1] >> 6), count: 1 + Int(input[1] & 15))
    else { return }
    let guardBytes = 8
    let block = MemoryBlock(.gina("imp"), .down, size: max(64, signal.range.end) + guardBytes)
    defer { precondition((signal.range.end..<block.size).allSatisfy { block.byte(at: $0) == 0 }) }
    for (index, byte) in input.dropFirst(2).enumerated() where index < signal.dataLength {
        block.setByte(byte, at: signal.dataRange.start + index)
    }
    guard let any = signal.anyValue(in: block) else { preconditionFailure("a signal inside its block has no value") }
    _ = any.description
    let value: SignalValue
    do {
        value = try SignalValue(parsing: String(decoding: input.dropFirst(2), as: UTF8.self), for: signal)
    } catch {
        _ = error.description
        return
    }
    precondition((try? signal.setValue(value, in: block)) != nil)
    guard let read = signal.value(in: block) else { preconditionFailure("a written value is not valid") }
    precondition((try? SignalValue(parsing: read.description, for: signal)) == read)
    let content = block.contents
    precondition((try? signal.setValue(read, in: block)) != nil)
    precondition(block.contents == content)
}
