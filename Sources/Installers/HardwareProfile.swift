public import DeviceStorage
public import Programs

/// A module of the ESP32 family as `--hardware` names it.
public struct HardwareProfile: Sendable, Equatable {
    /// Name for `--hardware`.
    public let name: String
    /// Operating system as `si_os` and package names have it.
    public let os: String
    /// Hardware as `si_hw` and package names have it.
    public let hardware: String
    /// The chip whose images it runs.
    public let chip: ESPChip
    /// Bytes of flash.
    public let flashSize: Int
    /// Where the boot loader lies; it ends before the partition table (ESP-IDF boot loader guide).
    public let bootLoaderOffset: Int

    /// A profile of another module, for tests with a small flash.
    public init(name: String, os: String, hardware: String, chip: ESPChip, flashSize: Int, bootLoaderOffset: Int) {
        self.name = name
        self.os = os
        self.hardware = hardware
        self.chip = chip
        self.flashSize = flashSize
        self.bootLoaderOffset = bootLoaderOffset
    }

    /// Classic ESP32 with camera.
    public static let esp32 = HardwareProfile(
        name: "esp32", os: "esp32", hardware: "espcam", chip: .esp32, flashSize: 4 << 20, bootLoaderOffset: 0x1000)
    /// ESP32-C3.
    public static let esp32c3 = HardwareProfile(
        name: "esp32c3", os: "esp32", hardware: "espc3", chip: .esp32c3, flashSize: 4 << 20, bootLoaderOffset: 0)

    /// All profiles.
    public static let all = [esp32, esp32c3]

    /// The profile with a name; nil when there is none.
    public static func named(_ name: String) -> HardwareProfile? { all.first { $0.name == name } }

    /// The partition table such a module gets at the factory.
    public func partitionTable() throws(PartitionTableError) -> PartitionTable { try .standard4MB() }
}
