import ByteTools
public import DeviceStorage
public import Programs

/// Why a flash is not that of an updatable device.
public enum ESPFlashError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The partition table is missing or wrong.
    case table(PartitionTableError)
    /// The flash failed.
    case flash(FlashError)
    /// The flash has another size than the hardware.
    case size(found: Int, expected: Int)
    /// The first program is not one for this device.
    case program(ESPImageError)

    /// The reason for people.
    public var description: String {
        switch self {
        case .table(let error): error.description
        case .flash(let error): error.description
        case .size(let found, let expected): "the flash has \(found) bytes, the hardware has \(expected)"
        case .program(let error): error.description
        }
    }
}

/// A flash with the partitions an updatable device of the ESP32 family needs.
public struct ESPFlash: Sendable {
    /// The module it belongs to.
    public let profile: HardwareProfile
    /// The chip.
    public let device: any FlashDevice
    /// What is where.
    public let table: PartitionTable
    /// Two sectors that say which slot boots.
    public let otaData: FlashRegion
    /// The two program slots.
    public let slots: [FlashRegion]
    /// The area of the persistent blocks.
    public let blocks: FlashRegion

    /// Opens a flash that has been provisioned.
    public init(_ device: any FlashDevice, _ profile: HardwareProfile) throws(ESPFlashError) {
        let bytes: [UInt8]
        do { bytes = try device.read(at: PartitionTable.flashOffset, count: PartitionTable.encodedSize) } catch {
            throw .flash(error)
        }
        let table: PartitionTable
        do { table = try PartitionTable(parsing: bytes, flashSize: device.size) } catch { throw .table(error) }
        try self.init(device, profile, table)
    }

    private init(
        _ device: any FlashDevice, _ profile: HardwareProfile, _ table: PartitionTable
    ) throws(ESPFlashError) {
        guard device.size == profile.flashSize else { throw .size(found: device.size, expected: profile.flashSize) }
        guard let otaData = table.first(.otaData), otaData.size == 2 * NORFlash.sectorSize else {
            throw .table(.missing("otadata partition of two sectors"))
        }
        guard table.otaSlots.count == 2 else { throw .table(.missing("pair of slots ota_0 and ota_1")) }
        guard let blocks = table.first(.undefinedData) else { throw .table(.missing("data partition for blocks")) }
        func region(_ partition: Partition) throws(FlashError) -> FlashRegion {
            try FlashRegion(device, offset: partition.offset, size: partition.size)
        }
        do throws(FlashError) {
            self.otaData = try region(otaData)
            slots = [try region(table.otaSlots[0]), try region(table.otaSlots[1])]
            self.blocks = try region(blocks)
        } catch {
            throw .flash(error)
        }
        self.profile = profile
        self.device = device
        self.table = table
    }

    /// What the factory does: erases the flash, writes the first program into slot 0, and the partition table last, so
    /// that a flash with a table is a whole one.
    public static func provision(
        _ device: any FlashDevice, _ profile: HardwareProfile, table: PartitionTable, program: [UInt8]
    ) throws(ESPFlashError) -> ESPFlash {
        let flash = try ESPFlash(device, profile, table)
        do { _ = try ESPImage(checking: ArraySource(program), chip: profile.chip, limit: flash.slots[0].size) } catch {
            throw .program(error)
        }
        do throws(FlashError) {
            // The table's sector goes first: from here on the flash counts as empty.
            try device.eraseSector(at: PartitionTable.flashOffset)
            for sector in stride(from: 0, to: device.size, by: NORFlash.sectorSize)
            where sector != PartitionTable.flashOffset {
                try device.eraseSector(at: sector)
            }
            try flash.slots[0].write(at: 0, program)
            try device.sync()
            try device.write(at: PartitionTable.flashOffset, table.encoded())
            try device.sync()
        } catch {
            throw .flash(error)
        }
        return flash
    }

    /// The image in a slot, 0 or 1; fails when it is not one that this hardware runs.
    public func image(in slot: Int) throws(ESPImageError) -> ESPImage {
        try ESPImage(checking: slots[slot], chip: profile.chip, mayBeFollowed: true, limit: slots[slot].size)
    }
}
