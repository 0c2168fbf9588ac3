/// The digits of a clock, three by five points each.
enum Digits {
    static let width = 3
    static let height = 5

    /// True where the digit or colon has a point; nothing outside and for other characters.
    static func hasPoint(_ character: Character, x: Int, y: Int) -> Bool {
        guard (0..<width).contains(x), (0..<height).contains(y), let rows = rows[character] else { return false }
        return rows[y] >> UInt8(width - 1 - x) & 1 == 1
    }

    /// Rows from the top, the leftmost point in the highest of three bits.
    private static let rows: [Character: [UInt8]] = [
        "0": [0b111, 0b101, 0b101, 0b101, 0b111],
        "1": [0b010, 0b110, 0b010, 0b010, 0b111],
        "2": [0b111, 0b001, 0b111, 0b100, 0b111],
        "3": [0b111, 0b001, 0b111, 0b001, 0b111],
        "4": [0b101, 0b101, 0b111, 0b001, 0b001],
        "5": [0b111, 0b100, 0b111, 0b001, 0b111],
        "6": [0b111, 0b100, 0b111, 0b101, 0b111],
        "7": [0b111, 0b001, 0b010, 0b010, 0b010],
        "8": [0b111, 0b101, 0b111, 0b101, 0b111],
        "9": [0b111, 0b101, 0b111, 0b001, 0b111],
        ":": [0b000, 0b010, 0b000, 0b010, 0b000],
        ".": [0b000, 0b000, 0b000, 0b000, 0b010],
    ]
}
