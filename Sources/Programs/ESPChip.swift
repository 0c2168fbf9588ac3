import ByteTools

/// A chip of the ESP32 family as the header of an image names it (`esp_chip_id_t` of ESP-IDF).
public struct ESPChip: Sendable, Hashable, CustomStringConvertible {
    /// Number in the image header.
    public let id: UInt16
    /// Name as esptool has it, `chip 77` for an unknown one.
    public let description: String
    /// Addresses where flash is seen as data; nil when not known here.
    public let dataWindow: Range<UInt32>?
    /// Addresses where flash is seen as code; nil when not known here.
    public let codeWindow: Range<UInt32>?
    /// Start of the RAM that holds code.
    public let codeRAM: UInt32

    private init(
        _ id: UInt16, _ name: String, data: Range<UInt32>? = nil, code: Range<UInt32>? = nil, codeRAM: UInt32 = 0
    ) {
        self.id = id
        description = name
        dataWindow = data
        codeWindow = code
        self.codeRAM = codeRAM
    }

    /// Classic ESP32 (technical reference manual, system and memory).
    public static let esp32 = ESPChip(
        0, "esp32", data: 0x3F40_0000..<0x3F80_0000, code: 0x400D_0000..<0x4040_0000, codeRAM: 0x4008_0000)
    /// ESP32-C3.
    public static let esp32c3 = ESPChip(
        5, "esp32c3", data: 0x3C00_0000..<0x3C80_0000, code: 0x4200_0000..<0x4280_0000, codeRAM: 0x4038_0000)

    private static let others: [UInt16: String] = [
        2: "esp32s2", 9: "esp32s3", 12: "esp32c2", 13: "esp32c6", 16: "esp32h2", 18: "esp32p4",
    ]

    /// The chip with a number; unknown numbers get a name that shows them.
    public init(id: UInt16) {
        switch id {
        case Self.esp32.id: self = .esp32
        case Self.esp32c3.id: self = .esp32c3
        default: self.init(id, Self.others[id] ?? "chip \(id)")
        }
    }

    /// The chip on a board that packages are named for; nil when the board is not known here.
    public static func onBoard(_ hardware: String) -> ESPChip? {
        switch hardware {
        case "espcam", "devkit1": .esp32
        case "espc3": .esp32c3
        default: nil
        }
    }

    /// True when `address` is one where flash is mapped; such a segment must keep its offset within a page.
    func isMapped(_ address: UInt32) -> Bool {
        dataWindow?.contains(address) == true || codeWindow?.contains(address) == true
    }
}
