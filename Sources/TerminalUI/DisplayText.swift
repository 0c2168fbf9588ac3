/// Text as a terminal shows it: how many columns it takes, cut and padded to a width, and free of control characters.
///
/// Names, versions and error texts come from devices; a terminal would obey escape sequences hidden in them.
public enum DisplayText {
    /// The text with every character that a terminal could obey replaced by "\u{FFFD}": control characters, line and
    /// paragraph separators, and the marks that turn the writing direction.
    public static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 })
        return String(result)
    }

    /// The number of terminal columns that `text` takes: 0 for combining marks, 2 for East Asian wide characters and
    /// emoji, 1 for anything else.
    public static func width(_ text: String) -> Int {
        var total = 0
        for character in text { total += width(of: character) }
        return total
    }

    /// `text`, or as much of its start as fits into `width` columns together with an ellipsis.
    public static func truncate(_ text: String, to width: Int) -> String {
        guard self.width(text) > width else { return text }
        guard width > 0 else { return "" }
        var result = ""
        var used = 0
        for character in text {
            let columns = self.width(of: character)
            guard used + columns <= width - 1 else { break }
            result.append(character)
            used += columns
        }
        return result + "…"
    }

    /// `text` filled with spaces up to `width` columns, on the right or, with `leading`, on the left.
    public static func pad(_ text: String, to width: Int, leading: Bool = false) -> String {
        let spaces = String(repeating: " ", count: max(0, width - self.width(text)))
        return leading ? spaces + text : text + spaces
    }

    private static func width(of character: Character) -> Int {
        // Plain ASCII is nearly everything, and quick.
        if let ascii = character.asciiValue { return ascii >= 0x20 && ascii != 0x7F ? 1 : 0 }
        var columns = 0
        for scalar in character.unicodeScalars {
            // Variation selector 16 asks for the coloured form of a sign, which is wide.
            columns = max(columns, scalar == "\u{FE0F}" ? 2 : width(of: scalar))
        }
        return columns
    }

    private static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F: return true
        case 0x2028, 0x2029: return true
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: return true
        default: return false
        }
    }

    /// East Asian wide and full width ranges (Unicode Standard Annex 11, property values W and F, joined where only
    /// unassigned places lie between).
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97C,
        0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
        0x16FE0...0x18DFF, 0x1AFF0...0x1B2FB, 0x1F200...0x1F265, 0x20000...0x3FFFD,
    ]
}
