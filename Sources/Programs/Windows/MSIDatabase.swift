import ByteTools

/// The tables of a Windows Installer package. Only what is asked for is read.
struct MSIDatabase<Source: ByteSource> {
    /// A column of a table.
    struct Column: Equatable {
        let name: String
        let type: UInt16

        /// The stored type says: bits 0…7 size, 0x100 valid, 0x200 in the user's language, 0x400 not binary, 0x800 text,
        /// 0x1000 may be empty, 0x2000 part of the key. Just "valid text" of no size is a stream of its own; with any
        /// other bit it is a text.
        private var isStream: Bool { type & ~0x1000 == 0x0900 }
        var isText: Bool { type & 0x0800 != 0 && !isStream }

        /// Bytes of a value; nil for a type that is not known.
        func width(reference: Int) -> Int? {
            // Columns that live in memory only, and types that Windows Installer does not know itself.
            guard type & 0xC000 == 0 else { return nil }
            if isStream { return 2 }
            if isText { return reference }
            switch type & 0xFF {
            case 1, 2: return 2
            case 4: return 4
            default: return nil
            }
        }
    }

    private var file: CompoundFile<Source>
    private let strings: MSIStrings
    private let columns: [String: [Column]]

    /// Classes of the root: a package, and what else belongs to the same program.
    private static var classTail: [UInt8] { [0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46] }

    /// Opens the database of a package.
    init(_ source: Source) throws(MSIFailure) {
        var file: CompoundFile<Source>
        do { file = try CompoundFile(source) } catch { throw .file(error) }
        let rootClass = file.rootClass
        guard Array(rootClass.dropFirst()) == Self.classTail, rootClass[0] == 0x84 else {
            let isRelated = Array(rootClass.dropFirst()) == Self.classTail
            switch (isRelated, rootClass[0]) {
            case (true, 0x82): throw .notAPackage("a transform for one")
            case (true, 0x86): throw .notAPackage("a patch for one")
            default: throw .notAPackage("a compound file of another program")
            }
        }
        guard let pool = try Self.read("_StringPool", of: &file, limit: MSILimits.mostStrings * 4),
            let data = try Self.read("_StringData", of: &file, limit: MSILimits.largestStrings)
        else { throw .damaged("it has no strings") }
        strings = try MSIStrings(pool: pool, data: data)
        columns = try Self.columns(&file, strings)
        self.file = file
    }

    private static func read(
        _ table: String, of file: inout CompoundFile<Source>, limit: Int
    ) throws(MSIFailure) -> [UInt8]? {
        guard let stream = file.stream(MSIStreamName.encode(table, isTable: true)) else { return nil }
        do { return try file.read(stream, limit: limit) } catch { throw .file(error) }
    }

    /// True when there is a stream of that name beside the tables: an embedded cabinet.
    func hasStream(_ name: String) -> Bool { file.stream(MSIStreamName.encode(name, isTable: false)) != nil }

    // MARK: Tables

    /// The columns of all tables, from the table `_Columns`: table, number, name, type.
    private static func columns(
        _ file: inout CompoundFile<Source>, _ strings: MSIStrings
    ) throws(MSIFailure) -> [String: [Column]] {
        guard let tables = try read("_Tables", of: &file, limit: MSILimits.largestTable),
            let bytes = try read("_Columns", of: &file, limit: MSILimits.largestTable)
        else { throw .damaged("it has no list of tables") }
        let text = Column(name: "", type: 0x0D40)
        let number = Column(name: "", type: 0x0502)
        var names: Set<String> = []
        let listed = try Rows(tables, [text], strings, "_Tables")
        for row in 0..<listed.count {
            guard names.insert(try name(listed.text(row, 0), strings)).inserted else {
                throw .damaged("a table is listed twice")
            }
        }
        var found: [String: [Int32: Column]] = [:]
        let rows = try Rows(bytes, [text, number, text, number], strings, "_Columns")
        for row in 0..<rows.count {
            let table = try name(rows.text(row, 0), strings)
            let place = rows.number(row, 1)
            guard names.contains(table), (1...Int32(MSILimits.mostColumns)).contains(place) else {
                throw .damaged("a column of a table can't be")
            }
            let column = Column(
                name: try name(rows.text(row, 2), strings), type: UInt16(truncatingIfNeeded: rows.number(row, 3)))
            guard found[table, default: [:]].updateValue(column, forKey: place) == nil else {
                throw .damaged("a column of the table \(cleaned(table)) is listed twice")
            }
        }
        var columns: [String: [Column]] = [:]
        for (table, places) in found {
            var list: [Column] = []
            for place in 1...Int32(places.count) {
                guard let column = places[place] else {
                    throw .damaged("a column of the table \(cleaned(table)) is missing")
                }
                list.append(column)
            }
            columns[table] = list
        }
        return columns
    }

    /// The name of a table or a column. A database may name the same long text many thousand times.
    private static func name(_ number: Int, _ strings: MSIStrings) throws(MSIFailure) -> String {
        try strings.text(number, limit: MSILimits.longestName, of: "the name of a table or a column")
    }

    /// The rows of a table; nil when there is no such table.
    private mutating func rows(_ table: String) throws(MSIFailure) -> Rows? {
        guard let list = columns[table] else { return nil }
        // A table without rows has no stream.
        return try Rows(Self.read(table, of: &file, limit: MSILimits.largestTable) ?? [], list, strings, table)
    }

    private func textColumn(_ name: String, of table: String) throws(MSIFailure) -> Int {
        guard let list = columns[table], let place = list.firstIndex(where: { $0.name == name }), list[place].isText
        else { throw .damaged("the table \(table) has no texts \(name)") }
        return place
    }

    /// The texts of one column of a table that has up to `most` rows, of up to 255 bytes; `what` names the rows. Nil when
    /// there is no such table.
    mutating func texts(
        _ table: String, _ column: String, most: Int, of what: String
    ) throws(MSIFailure) -> [String]? {
        guard let rows = try rows(table) else { return nil }
        let place = try textColumn(column, of: table)
        guard rows.count <= most else { throw .limit(what, most) }
        var texts: [String] = []
        for row in 0..<rows.count {
            texts.append(
                try strings.text(
                    rows.text(row, place), limit: MSILimits.longestText, of: "a text of the table \(table)"))
        }
        return texts
    }

    /// Values of the table `Property` under some names. Rows with other names are passed over by the bytes of their
    /// names: each of 65,536 may name a text of 65,535 bytes. Nil when there is no such table.
    mutating func properties(_ names: [String]) throws(MSIFailure) -> [String: String]? {
        guard let rows = try rows("Property") else { return nil }
        let (key, value) = (try textColumn("Property", of: "Property"), try textColumn("Value", of: "Property"))
        var found: [String: String] = [:]
        for row in 0..<rows.count {
            guard let bytes = strings.bytes(rows.text(row, key)), strings.bytes(rows.text(row, value)) != nil else {
                throw .damaged("a row of the table Property can't be")
            }
            guard let name = names.first(where: { $0.utf8.count == bytes.count && $0.utf8.elementsEqual(bytes) }) else {
                continue
            }
            guard found[name] == nil else { throw .damaged("it says \(name) twice") }
            found[name] = try strings.text(
                rows.text(row, value), limit: MSILimits.longestProperty, of: "the property \(name)")
        }
        return found
    }

    /// The summary information.
    mutating func summary() throws(MSIFailure) -> SummaryInformation {
        let name = Array("\u{5}SummaryInformation".utf16)
        guard let stream = file.stream(name) else { throw .damaged("it has no summary information") }
        let bytes: [UInt8]
        do { bytes = try file.read(stream, limit: MSILimits.largestSummary) } catch { throw .file(error) }
        return try SummaryInformation(parsing: bytes)
    }

    /// The beginning of a text without what could harm a terminal.
    static func cleaned(_ text: String) -> String { text.visible(MSILimits.longestText) }

    // MARK: Rows

    /// Rows of a table; its stream holds column by column.
    private struct Rows {
        private let bytes: [UInt8]
        private let columns: [(width: Int, start: Int)]
        let count: Int

        init(_ bytes: [UInt8], _ list: [Column], _ strings: MSIStrings, _ table: String) throws(MSIFailure) {
            self.bytes = bytes
            var widths: [Int] = []
            for column in list {
                guard let width = column.width(reference: strings.referenceSize) else {
                    throw .damaged("a column of the table \(cleaned(table)) has an unknown type")
                }
                widths.append(width)
            }
            let rowSize = widths.reduce(0, +)
            guard rowSize > 0, bytes.count % rowSize == 0 else {
                throw .damaged("the table \(cleaned(table)) has \(bytes.count) bytes in rows of \(rowSize)")
            }
            count = bytes.count / rowSize
            guard count <= MSILimits.mostRows else { throw .limit("rows in a table", MSILimits.mostRows) }
            var start = 0
            var columns: [(width: Int, start: Int)] = []
            for width in widths {
                columns.append((width, start))
                start += width * count
            }
            self.columns = columns
        }

        private func stored(_ row: Int, _ column: Int) -> UInt32 {
            let (width, start) = columns[column]
            var number: UInt32 = 0
            for byte in 0..<width { number |= UInt32(bytes[start + row * width + byte]) << UInt32(8 * byte) }
            return number
        }

        /// The number of a text among the strings.
        func text(_ row: Int, _ column: Int) -> Int { Int(stored(row, column)) }

        /// A number. It is stored with the sign turned, so that 0 is an empty value.
        func number(_ row: Int, _ column: Int) -> Int32 {
            let number = stored(row, column)
            return columns[column].width == 2
                ? Int32(Int16(truncatingIfNeeded: number ^ 0x8000)) : Int32(bitPattern: number ^ 0x8000_0000)
        }
    }
}

extension String {
    /// The beginning of a text on one line, without what could harm a terminal.
    func visible(_ limit: Int) -> String {
        let scalars = unicodeScalars.lazy.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
        var text = String(String.UnicodeScalarView(scalars.prefix(limit)))
        while text.utf8.count > limit { text.removeLast() }
        return text
    }
}
