import Testing

@testable import LinuxUpdates

struct SaidTextTests {
    private func text(_ pieces: String...) -> SaidText {
        var text = SaidText()
        for piece in pieces { text.append(Array(piece.utf8)[...]) }
        return text
    }

    @Test func `Lines come in pieces, and the last may not be finished`() {
        #expect(text().isEmpty && text("\n\n").isEmpty)
        #expect(text("Unpack", "ing a\nSet").text == "Unpacking a\nSet")
        #expect(text("Unpack", "ing a\nSet").finishedText == "Unpacking a")
        #expect(text("Unpacking a\n").finishedText == "Unpacking a")
    }

    @Test func `A line that is written anew counts once`() {
        #expect(text("Reading 5%\rReading 100%\r", "Reading: done\nnext\r\n").text == "Reading: done\nnext")
    }

    @Test func `Only the last lines are kept, and nothing that controls a terminal`() {
        let many = text((1...40).map { "line \($0)\n" }.joined())
        #expect(many.text == (29...40).map { "line \($0)" }.joined(separator: "\n"))
        #expect(text("a\u{1B}[2Jb\u{7}\u{9}ö\n").text == "a[2Jb")
        let long = text(String(repeating: "x", count: 5_000) + "\nend\n")
        #expect(long.text == "end")
        #expect(text(String(repeating: "x", count: 5_000)).text.utf8.count == SaidText.longest)
    }
}
