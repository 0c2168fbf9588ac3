// modules: IOCOM PackedJSON TerminalUI
// options: -max_len=128
import TerminalUI

/// Texts of devices on the operator's terminal: nothing that a terminal obeys is left, and the width is what was asked for.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let clean = DisplayText.clean(String(decoding: input.dropFirst(), as: UTF8.self))
    for scalar in clean.unicodeScalars {
        precondition(scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value))
        precondition(!(0x202A...0x202E).contains(scalar.value) && !(0x2066...0x2069).contains(scalar.value))
    }
    precondition(DisplayText.clean(clean) == clean)
    let width = Int(first & 63)
    precondition(DisplayText.width(DisplayText.truncate(clean, to: width)) <= width)
    precondition(DisplayText.width(DisplayText.pad(clean, to: width)) >= width)
}
