import ByteTools

/// Writes the database of a Windows Installer package for tests of readers: tables of texts and numbers, strings and summary
/// information. What Windows needs to install something is not in it.
public struct MSIBuilder: Sendable {
    /// A value in a table.
    public enum Value: Sendable {
        /// Text.
        case text(String)
        /// A number of 16 bits.
        case number(Int16)
    }

    /// A table of some columns.
    public struct Table: Sendable {
        /// Its name.
        public var name: String
        /// Names of its columns, and whether they hold texts.
        public var columns: [(name: String, isText: Bool)]
        /// Rows of as many values.
        public var rows: [[Value]]

        /// A table.
        public init(_ name: String, _ columns: [(name: String, isText: Bool)], _ rows: [[Value]]) {
            self.name = name
            self.columns = columns
            self.rows = rows
        }
    }

    /// Properties by name, in order.
    public var properties: [(name: String, value: String)] = [
        ("ProductName", "Gina"), ("Manufacturer", "iocafe"), ("ProductVersion", "26.11.38405"),
        ("ProductCode", "{CCB92118-61AD-4F9A-AF70-3390B79CA7C7}"),
        ("UpgradeCode", "{2B1E0F0C-6B1C-4E1B-9B3B-3B1B5B0F1A01}"), ("IOCOMAPPLICATION", "gina"),
        ("IOCOMORGANIZATION", "iocafe"),
    ]
    /// Names of services.
    public var services = ["gina"]
    /// Platform and languages.
    public var template = "x64;1033"
    /// Number of the package.
    public var revision = "{88D56E64-2B25-4FAC-A4A5-1E1CADBC826E}"
    /// Further tables.
    public var tables: [Table] = []
    /// Stored types of columns, by `table.column`, where they are not the usual ones.
    public var columnTypes: [String: UInt16] = [:]
    /// Content of the embedded cabinet; nil for one that lies beside the package.
    public var cabinet: [UInt8]? = [UInt8](repeating: 0x4D, count: 5000)
    /// Cabinets that its disks name; nil for the usual one.
    public var cabinets: [String]?
    /// Version of the compound file.
    public var fileVersion = 3
    /// Numbers of strings have three bytes instead of two.
    public var hasLongReferences = false

    /// A package like ours.
    public init() {}

    /// The package.
    public var bytes: [UInt8] { CompoundFileBuilder(version: fileVersion, streams: streams).bytes }

    /// The streams of the package.
    public var streams: [(name: [UInt16], bytes: [UInt8])] {
        var strings: [String] = []
        func number(of text: String) -> Int {
            if text.isEmpty { return 0 }
            if let known = strings.firstIndex(of: text) { return known + 1 }
            strings.append(text)
            return strings.count
        }
        let all: [Table] =
            [
                Table(
                    "Property", [("Property", true), ("Value", true)],
                    properties.map { [.text($0.name), .text($0.value)] }),
                Table(
                    "ServiceInstall", [("ServiceInstall", true), ("Name", true), ("ServiceType", false)],
                    services.enumerated().map { [.text("Service\($0)"), .text($1), .number(16)] }),
                Table(
                    "Media", [("DiskId", false), ("Cabinet", true)],
                    (cabinets ?? [cabinet == nil ? "files.cab" : "#files.cab"]).enumerated().map {
                        [.number(Int16($0 + 1)), .text($1)]
                    }),
            ] + tables
        func stream(_ columns: [Bool], _ rows: [[Value]]) -> [UInt8] {
            var bytes: [UInt8] = []
            for column in columns.indices {
                for row in rows {
                    switch row[column] {
                    case .text(let text):
                        let reference = number(of: text)
                        bytes.appendNumber(UInt16(truncatingIfNeeded: reference))
                        if hasLongReferences { bytes.append(UInt8(truncatingIfNeeded: reference >> 16)) }
                    case .number(let number): bytes.appendNumber(UInt16(bitPattern: number) ^ 0x8000)
                    }
                }
            }
            return bytes
        }
        var streams: [(name: [UInt16], bytes: [UInt8])] = []
        for table in all where !table.rows.isEmpty {
            streams.append((Self.name(table.name), stream(table.columns.map(\.isText), table.rows)))
        }
        streams.append((Self.name("_Tables"), stream([true], all.map { [.text($0.name)] })))
        var columns: [[Value]] = []
        for table in all {
            for (index, column) in table.columns.enumerated() {
                columns.append([
                    .text(table.name), .number(Int16(index + 1)), .text(column.name),
                    .number(
                        columnTypes["\(table.name).\(column.name)"].map(Int16.init(bitPattern:))
                            ?? (column.isText ? 0x0DFF : 0x0502)),
                ])
            }
        }
        streams.append((Self.name("_Columns"), stream([true, false, true, false], columns)))
        var pool: [UInt8] = []
        pool.appendNumber(UInt32(65001) | (hasLongReferences ? 0x8000_0000 : 0))
        for text in strings {
            pool.appendNumber(UInt16(text.utf8.count))
            pool.appendNumber(UInt16(1))
        }
        streams.append((Self.name("_StringPool"), pool))
        streams.append((Self.name("_StringData"), strings.flatMap { Array($0.utf8) }))
        streams.append((Array("\u{5}SummaryInformation".utf16), summary))
        if let cabinet { streams.append((Self.name("files.cab", isTable: false), cabinet)) }
        return streams
    }

    private var summary: [UInt8] {
        var section: [UInt8] = []
        var places: [(UInt32, Int)] = []
        func add(_ id: UInt32, _ text: String) {
            places.append((id, section.count))
            section.appendNumber(UInt32(30))
            section.appendNumber(UInt32(text.utf8.count + 1))
            section.appendText(text, length: (text.utf8.count + 4) / 4 * 4)
        }
        add(7, template)
        add(9, revision)
        places.append((15, section.count))
        section.appendNumber(UInt32(3))
        section.appendNumber(UInt32(2))
        let start = 8 + 8 * places.count
        var bytes: [UInt8] = []
        for word: UInt16 in [0xFFFE, 0, 6, 2] { bytes.appendNumber(word) }
        bytes += [UInt8](repeating: 0, count: 16)
        bytes.appendNumber(UInt32(1))
        bytes += [0xE0, 0x85, 0x9F, 0xF2, 0xF9, 0x4F, 0x68, 0x10, 0xAB, 0x91, 0x08, 0x00, 0x2B, 0x27, 0xB3, 0xD9]
        bytes.appendNumber(UInt32(48))
        bytes.appendNumber(UInt32(start + section.count))
        bytes.appendNumber(UInt32(places.count))
        for (id, place) in places {
            bytes.appendNumber(id)
            bytes.appendNumber(UInt32(start + place))
        }
        return bytes + section
    }

    /// Units of a stream's name: two letters in one where they have values of 6 bits.
    public static func name(_ text: String, isTable: Bool = true) -> [UInt16] {
        let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._".utf8)
        let values = text.utf8.map { letter in UInt16(letters.firstIndex(of: letter) ?? 0) }
        var units: [UInt16] = isTable ? [0x4840] : []
        for index in stride(from: 0, to: values.count, by: 2) {
            units.append(
                index + 1 < values.count ? 0x3800 + values[index] + values[index + 1] << 6 : 0x4800 + values[index])
        }
        return units
    }
}
