/// Hexadecimal text.
enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Reads lower-case digits in pairs; nil for anything else.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let values = text.utf8.compactMap { byte in digits.firstIndex(of: byte).map(UInt8.init) }
        guard values.count == text.utf8.count, values.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}
