/// Names of the streams of a Windows Installer database: two letters in one UTF-16 unit, for names have 31 units only.
///
/// A unit from 0x3800 holds two letters of 6 bits each, lower bits first; one from 0x4800 holds one letter; 0x4840 marks a
/// table. Other units stand for themselves.
enum MSIStreamName {
    static let tableMark: UInt16 = 0x4840
    private static let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._".utf8)

    private static func value(of letter: UInt8) -> UInt16? {
        letters.firstIndex(of: letter).map { UInt16($0) }
    }

    /// The stream of a table, or with `isTable` false of other data; letters without a value stand for themselves.
    static func encode(_ name: String, isTable: Bool) -> [UInt16] {
        var units: [UInt16] = isTable ? [tableMark] : []
        let bytes = Array(name.utf8)
        var index = 0
        while index < bytes.count {
            guard let first = value(of: bytes[index]) else {
                units.append(UInt16(bytes[index]))
                index += 1
                continue
            }
            if index + 1 < bytes.count, let second = value(of: bytes[index + 1]) {
                units.append(0x3800 + first + second << 6)
                index += 2
            } else {
                units.append(0x4800 + first)
                index += 1
            }
        }
        return units
    }
}
