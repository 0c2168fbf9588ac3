/// Rows in columns that are as wide as their content asks for.
///
/// ```swift
/// var table = Table(["PATH", "VERSION", .init("BYTES", alignment: .right)])
/// table.add(["candy1.cafenet", "261124-1200", "1024"])
/// print(table.draw(width: 80), terminator: "")
/// ```
public struct Table: Sendable {
    /// Where the text of a column stands.
    public enum Alignment: Sendable {
        /// At the left edge: texts.
        case left
        /// At the right edge: numbers.
        case right
    }

    /// One column.
    public struct Column: Sendable, ExpressibleByStringLiteral {
        /// What the header line says.
        public var title: String
        /// Where the text stands.
        public var alignment: Alignment
        /// A column that must stay whole (device paths, which people copy) is not cut while others can be.
        public var keepsWhole: Bool

        /// Describes a column.
        public init(_ title: String, alignment: Alignment = .left, keepsWhole: Bool = false) {
            self.title = title
            self.alignment = alignment
            self.keepsWhole = keepsWhole
        }

        /// A left aligned column with this title.
        public init(stringLiteral title: String) { self.init(title) }
    }

    /// The narrowest that a column is cut to when the width is short.
    public static let narrowestColumn = 4
    private static let gap = 2

    /// The columns from left to right.
    public let columns: [Column]
    /// The rows from top to bottom, each with one text a column.
    public private(set) var rows: [[String]] = []

    /// An empty table.
    public init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row. Missing cells are empty, cells without a column are left out; control characters are replaced,
    /// because cells often hold what a device said.
    public mutating func add(_ cells: [String]) {
        rows.append(columns.indices.map { $0 < cells.count ? DisplayText.clean(cells[$0]) : "" })
    }

    /// The table as lines, each with a line end and without spaces at its end.
    ///
    /// - Parameters:
    ///   - width: columns of the terminal; nil for as wide as it becomes (pipes, files).
    ///   - header: whether the titles are shown above the rows.
    public func draw(width: Int? = nil, header: Bool = true) -> String {
        let widths = columnWidths(fitting: width, header: header)
        var result = ""
        if header { result += line(columns.map(\.title), widths) }
        for row in rows { result += line(row, widths) }
        return result
    }

    private func columnWidths(fitting width: Int?, header: Bool) -> [Int] {
        var widths = columns.map { header ? DisplayText.width($0.title) : 0 }
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], DisplayText.width(cell)) }
        }
        guard let width else { return widths }
        var excess = widths.reduce(0, +) + Self.gap * max(0, columns.count - 1) - width
        excess = shrink(&widths, by: excess) { !columns[$0].keepsWhole }
        _ = shrink(&widths, by: excess) { _ in true }
        return widths
    }

    /// Takes columns away from the widest of the chosen ones, and returns what could not be taken.
    private func shrink(_ widths: inout [Int], by excess: Int, where chosen: (Int) -> Bool) -> Int {
        var excess = excess
        while excess > 0 {
            guard let widest = widths.indices.filter(chosen).max(by: { widths[$0] < widths[$1] }),
                widths[widest] > Self.narrowestColumn
            else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return excess
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var result = ""
        for (index, cell) in cells.enumerated() {
            if index > 0 { result += String(repeating: " ", count: Self.gap) }
            let text = DisplayText.truncate(cell, to: widths[index])
            result += DisplayText.pad(text, to: widths[index], leading: columns[index].alignment == .right)
        }
        while result.last == " " { result.removeLast() }
        return result + "\n"
    }
}
