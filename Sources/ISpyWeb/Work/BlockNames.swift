import PackedJSON

/// Persistent blocks with their right names and rules (application-layer.md 3.1 to 3.3).
enum BlockNames {
    private struct Entry {
        var number: Int64
        var name: String
        var file = ".dat"
        var readable = true
        var writable = true
        var note: String?
    }

    private static let entries: [Entry] =
        [
            Entry(
                number: 1, name: "program", file: ".bin", readable: false,
                note: "writing it installs a program; the program window checks the package first"),
            Entry(number: 2, name: "network configuration", note: "counts after a restart"),
            Entry(number: 3, name: "default configuration", writable: false, note: "built into the device"),
            Entry(number: 4, name: "secret", readable: false, writable: false, note: "never leaves the device"),
            Entry(number: 5, name: "server key", readable: false, writable: false, note: "never leaves the device"),
            Entry(number: 6, name: "server certificate", file: ".crt"),
            Entry(number: 7, name: "root key", readable: false, writable: false, note: "never leaves the device"),
            Entry(number: 8, name: "root certificate", file: ".crt"),
            Entry(
                number: 9, name: "client certificate chain", file: ".crt",
                note: "what the device trusts; writing it restarts the device"),
            Entry(
                number: 10, name: "publish certificate chain", file: ".crt", note: "what a server gives to new devices"),
            Entry(number: 11, name: "Wi-Fi and node settings"),
            Entry(number: 12, name: "automatic device numbers", note: "a server's own table"),
            Entry(number: 13, name: "manifest of the next program", file: ".manifest"),
        ]
        + (14...20).map {
            Entry(
                number: $0, name: "application data \("ABCDEFG".dropFirst(Int($0) - 14).first.map(String.init) ?? "")")
        }
        + [
            Entry(
                number: 21, name: "accounts of the first network", note: "the configure window of accounts1 knows more")
        ]

    static var json: JSON {
        .array(
            entries.map { entry in
                [
                    "number": .integer(entry.number), "name": .string(entry.name), "file": .string(entry.file),
                    "readable": .bool(entry.readable), "writable": .bool(entry.writable), "note": JSON(entry.note),
                ]
            })
    }

    /// Throws when a block can't be moved in that direction.
    static func check(_ number: Int, writes: Bool) throws {
        guard (1...127).contains(number) else { throw WebError(.usage, "block numbers are 1 to 127") }
        guard let entry = entries.first(where: { $0.number == Int64(number) }) else { return }
        guard writes ? entry.writable : entry.readable else {
            throw WebError(
                .refused,
                "block \(number) (\(entry.name)) can't be \(writes ? "written" : "read"): \(entry.note ?? "the device refuses")"
            )
        }
    }
}
