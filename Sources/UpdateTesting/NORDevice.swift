public import DeviceStorage

/// An operation on a NOR flash of a device under test.
public struct NORDeviceOperation: DeviceOperation {
    /// What is done.
    public let operation: FlashOperation
    private let flash: NORFlash
    private let phases: @Sendable (FlashOperation, PowerCutCampaign.Phase) -> PowerCutCampaign.Phase
    private let device: @Sendable (NORFlash) throws -> any DeviceUnderTest

    /// An operation about to be done on `flash`; `phases` says to which phase it belongs, `device` makes a device around
    /// another flash.
    public init(
        _ operation: FlashOperation, on flash: NORFlash,
        phases: @escaping @Sendable (FlashOperation, PowerCutCampaign.Phase) -> PowerCutCampaign.Phase,
        device: @escaping @Sendable (NORFlash) throws -> any DeviceUnderTest
    ) {
        self.operation = operation
        self.flash = flash
        self.phases = phases
        self.device = device
    }

    /// Address in the flash.
    public var place: String { "0x" + String(operation.offset, radix: 16) }

    /// As the device says.
    public func phase(in phase: PowerCutCampaign.Phase) -> PowerCutCampaign.Phase { phases(operation, phase) }

    /// A device around a copy of the flash.
    public func device(after cut: PowerCut, _ random: inout SeededGenerator) throws -> any DeviceUnderTest {
        try device(cut.remains(of: operation, on: flash, random: &random))
    }
}

/// Values that a device keeps through all updates, for tests.
enum TestSettings {
    static let values: [Int: [UInt8]] = [
        2: Array("network configuration".utf8), 14: (0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 31) }, 20: [],
    ]

    /// As the factory and the operators before stored them.
    static func store(in store: any PersistentStore) throws {
        for (block, value) in values { try store.write(block, value) }
    }

    static func check(_ store: any PersistentStore) throws {
        guard try store.blocks() == values.keys.sorted() else {
            throw ContractBreach("the persistent blocks are \(try store.blocks())")
        }
        for (block, value) in values where try store.read(block) != value {
            throw ContractBreach("persistent block \(block) changed")
        }
    }
}
