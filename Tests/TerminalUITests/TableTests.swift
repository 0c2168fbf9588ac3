import Testing

import TerminalUI

@Suite("Tables")
struct TableTests {
    private func devices() -> Table {
        var table = Table([
            .init("PATH", keepsWhole: true), "APPLICATION", .init("BYTES", alignment: .right), "STATE",
        ])
        table.add(["candy1.cafenet", "Café candy", "1024", "connected"])
        table.add(["candy12.cafenet", "漢字", "7"])
        return table
    }

    @Test("columns are as wide as their content, numbers stand right, no line ends in spaces")
    func layout() {
        #expect(
            devices().draw() == """
                PATH             APPLICATION  BYTES  STATE
                candy1.cafenet   Café candy    1024  connected
                candy12.cafenet  漢字             7

                """)
    }

    @Test("without header only content counts for the width")
    func plain() {
        #expect(
            devices().draw(header: false) == """
                candy1.cafenet   Café candy  1024  connected
                candy12.cafenet  漢字           7

                """)
    }

    @Test("a narrow terminal cuts the widest columns, and those that people copy last")
    func narrow() {
        #expect(
            devices().draw(width: 40) == """
                PATH             APPLIC…  BYTES  STATE
                candy1.cafenet   Café c…   1024  connec…
                candy12.cafenet  漢字         7

                """)
        let lines = devices().draw(width: 24).split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { DisplayText.width($0) <= 24 })
        #expect(lines[0].hasPrefix("PATH"))
    }

    @Test("cells of devices cannot break the table")
    func hostileCells() {
        var table = Table(["A", "B"])
        table.add(["x\ny\u{1B}[31m", "1", "left over"])
        table.add([])
        #expect(table.draw(header: false) == "x\u{FFFD}y\u{FFFD}[31m  1\n\n")
        #expect(Table([]).draw(width: 10) == "\n")
    }
}
