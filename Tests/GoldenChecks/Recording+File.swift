import FoundationEssentials

extension Recording {
    private struct Line: Decodable {
        var t: Double
        var conn: Int
        var dir: String?
        var hex: String?
    }

    /// Why a recording cannot be read.
    public struct Unreadable: Error, CustomStringConvertible {
        /// File, line and cause.
        public let description: String
    }

    /// Reads a file of JSON lines with `t`, `conn`, `dir`, `n` and `hex`; lines without `hex` are events.
    public init(file: String) throws {
        let text = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
        var byNumber: [Int: [Piece]] = [:]
        let decoder = JSONDecoder()
        for (number, line) in text.split(separator: "\n").enumerated() {
            let record: Line
            do {
                record = try decoder.decode(Line.self, from: Data(line.utf8))
            } catch {
                throw Unreadable(description: "\(file), line \(number + 1): not a record of a conversation (\(error))")
            }
            guard let digits = record.hex else { continue }
            guard let sender = record.dir.flatMap(Sender.init), digits.utf8.count % 2 == 0 else {
                throw Unreadable(description: "\(file), line \(number + 1): wrong direction or cut hexadecimal text")
            }
            byNumber[record.conn, default: []].append(
                Piece(time: Int((record.t * 1000).rounded()), sender: sender, bytes: bytes(digits)))
        }
        self.init(connections: byNumber.keys.sorted().compactMap { byNumber[$0] })
        guard !connections.isEmpty else { throw Unreadable(description: "\(file): no bytes of any connection in it") }
    }
}

private func bytes(_ digits: String) -> [UInt8] {
    func value(_ digit: UInt8) -> UInt8 {
        digit >= 0x61 ? digit &- 0x61 &+ 10 : digit >= 0x41 ? digit &- 0x41 &+ 10 : digit &- 0x30
    }
    let text = Array(digits.utf8)
    return stride(from: 0, to: text.count - 1, by: 2).map { value(text[$0]) << 4 | value(text[$0 + 1]) }
}
