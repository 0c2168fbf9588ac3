import Testing

import TerminalUI

@Suite("Text on a terminal")
struct DisplayTextTests {
    @Test("escape sequences, line ends and direction marks of a device never reach the terminal")
    func cleaning() {
        #expect(DisplayText.clean("candy1.cafenet") == "candy1.cafenet")
        #expect(DisplayText.clean("\u{1B}[2Jgone\r\n") == "\u{FFFD}[2Jgone\u{FFFD}\u{FFFD}")
        #expect(DisplayText.clean("a\u{9B}31m\u{7F}") == "a\u{FFFD}31m\u{FFFD}")
        #expect(DisplayText.clean("nib.\u{202E}exe\u{2028}") == "nib.\u{FFFD}exe\u{FFFD}")
        #expect(DisplayText.clean("Café ☕️") == "Café ☕️")
    }

    @Test(
        "width counts columns, not bytes",
        arguments: [
            ("", 0), ("abc", 3), ("Café", 4), ("Cafe\u{301}", 4), ("漢字", 4), ("한글", 4), ("ｱ", 1), ("Ａ", 2),
            ("☕", 2), ("👩‍🔧", 2), ("🇦🇹", 2), ("❤️", 2), ("❤", 1), ("–", 1), ("\u{200B}", 0),
        ])
    func widths(text: String, columns: Int) {
        #expect(DisplayText.width(text) == columns)
    }

    @Test("truncating never exceeds the width and marks what was cut")
    func truncating() {
        #expect(DisplayText.truncate("candy1", to: 6) == "candy1")
        #expect(DisplayText.truncate("candy1", to: 5) == "cand…")
        #expect(DisplayText.truncate("candy1", to: 1) == "…")
        #expect(DisplayText.truncate("candy1", to: 0) == "")
        // The second sign would need a column that the ellipsis has.
        #expect(DisplayText.truncate("漢字漢", to: 4) == "漢…")
        #expect(DisplayText.truncate("漢字漢", to: 5) == "漢字…")
    }

    @Test("padding fills up on the side asked for")
    func padding() {
        #expect(DisplayText.pad("漢", to: 4) == "漢  ")
        #expect(DisplayText.pad("7", to: 3, leading: true) == "  7")
        #expect(DisplayText.pad("long", to: 2) == "long")
    }
}
