import ByteTools
import DeviceStorage
public import Installers
public import Programs
import Synchronization

/// Modules of the ESP32 family: two slots, otadata, the boot loader of ESP-IDF.
public struct ESP32UnderTest: InstallerUnderTest {
    /// The application of all packages.
    public let application: String
    let profile: HardwareProfile
    let table: PartitionTable
    let pageSize: Int
    private let slotSize: Int

    /// Modules with slots of `slotSize` bytes, a multiple of 64 KiB. Page programs of `pageSize` bytes are the operations;
    /// 256 is what chips do, 4096 makes a campaign with a large program shorter.
    public init(
        _ chip: ESPChip = .esp32, application: String = "candy", slotSize: Int = 0x10000, pageSize: Int = 256
    ) throws {
        let blocks = 16 * NORFlash.sectorSize
        let start = 0x10000
        self.application = application
        self.pageSize = pageSize
        self.slotSize = slotSize
        profile = HardwareProfile(
            name: "\(chip)", os: "esp32", hardware: "test", chip: chip, flashSize: start + 2 * slotSize + blocks,
            bootLoaderOffset: 0)
        table = try PartitionTable(
            [
                Partition(label: "otadata", kind: .otaData, offset: 0xA000, size: 2 * NORFlash.sectorSize),
                Partition(label: "app0", kind: .ota(0), offset: start, size: slotSize),
                Partition(label: "app1", kind: .ota(1), offset: start + slotSize, size: slotSize),
                Partition(label: "blocks", kind: .undefinedData, offset: start + 2 * slotSize, size: blocks),
            ], flashSize: profile.flashSize)
    }

    /// The chip.
    public var description: String { profile.name }

    /// An image with random data.
    public func package(_ version: String, size: Int, behaviour: ProgramBehaviour) -> TestPackage {
        package(version, size: size, behaviour: behaviour, chip: profile.chip, application: application)
    }

    private func package(
        _ version: String, size: Int, behaviour: ProgramBehaviour = ProgramBehaviour(), chip: ESPChip,
        application: String
    ) -> TestPackage {
        var builder = ESPImageBuilder(chip: chip, project: application, version: version)
        var random = SeededGenerator(seed: UInt64(size))
        builder.data = random.bytes(max(16, size - 1000))
        builder.code = random.bytes(700)
        if behaviour != ProgramBehaviour() { builder.record = behaviour.record }
        return TestPackage(version: version, bytes: builder.build())
    }

    /// For another chip, another application, without a hash, no image, nothing.
    public func wrongPackages() -> [(name: String, bytes: [UInt8])] {
        let other: ESPChip = profile.chip == .esp32 ? .esp32c3 : .esp32
        var noDigest = package("260102-0000", size: programSize, behaviour: ProgramBehaviour()).bytes
        noDigest[23] = 0
        return [
            ("other chip", package("260102-0000", size: programSize, chip: other, application: application).bytes),
            ("other application", package("260102-0000", size: 3000, chip: profile.chip, application: "gina").bytes),
            ("no hash", noDigest), ("text", Array("This is no program.\n".utf8)), ("nothing", []),
        ]
    }

    /// Larger than the slot.
    public func tooLargePackage() -> [UInt8]? {
        package("260102-0000", size: slotSize + 2000, behaviour: ProgramBehaviour()).bytes
    }

    /// A flash with the program in slot 0 and values in its blocks.
    public func device(running program: TestPackage) throws -> any DeviceUnderTest {
        let flash = try NORFlash(size: profile.flashSize)
        let parts = try ESPFlash.provision(flash, profile, table: table, program: program.bytes)
        try TestSettings.store(in: FlashPersistentStore(parts.blocks))
        return ESP32Device(self, flash)
    }

    /// A device around a flash that was provisioned.
    func device(_ flash: NORFlash) -> ESP32Device { ESP32Device(self, flash) }
}

/// An emulated module on one flash: what candy does around an update.
final class ESP32Device: DeviceUnderTest {
    private let flash: ObservedFlash
    private let target: ESP32UnderTest
    private let state = Mutex<(ESPBootLoader.Boot, ESP32Installer)?>(nil)

    init(_ target: ESP32UnderTest, _ flash: NORFlash) {
        self.target = target
        self.flash = ObservedFlash(flash, pageSize: target.pageSize)
    }

    func observe(_ observer: DeviceObserver?) {
        guard let observer else { return flash.observe(nil) }
        let target = target
        flash.observe { operation, flash in
            observer(
                NORDeviceOperation(operation, on: flash) { operation, phase in
                    // Writing ends where otadata is touched.
                    let place = target.table.first(.otaData).map { $0.offset..<$0.offset + $0.size } ?? 0..<0
                    return phase == .write && place.contains(operation.offset) ? .select : phase
                } device: {
                    target.device($0)
                })
        }
    }

    func start() throws -> StartedProgram {
        state.withLock { $0 = nil }
        let parts = try ESPFlash(flash, target.profile)
        let boot = try ESPBootLoader(parts).boot()
        let installer = ESP32Installer(parts, running: boot, application: target.application)
        state.withLock { $0 = (boot, installer) }
        return StartedProgram(behaviour: boot.behaviour, isOnTrial: boot.needsProof)
    }

    private func running() throws -> (boot: ESPBootLoader.Boot, installer: ESP32Installer) {
        guard let running = state.withLock({ $0 }) else { throw ContractBreach("the device is off") }
        return running
    }

    var installer: any ProgramInstaller { get throws { try running().installer } }

    func confirm() throws { try running().installer.confirm() }

    func giveUp() throws { try running().installer.markInvalidAndRollBack() }

    func runs(_ package: TestPackage) throws -> Bool {
        let running = try running()
        return try running.installer.readImage(slot: running.boot.slot) == package.bytes
    }

    /// Otadata stands for the program that runs and says that it proved itself.
    func checkRecords() throws {
        let running = try running()
        let parts = try ESPFlash(flash, target.profile)
        let data = try OTAData(parts.otaData, slotCount: parts.slots.count)
        guard let active = data.active, data.activeSlot == running.boot.slot else {
            throw ContractBreach("otadata stands for slot \(data.activeSlot.map(String.init) ?? "none"), another runs")
        }
        guard data.entries[active].state == .valid else {
            throw ContractBreach("the program that stays is in state \(data.entries[active].state)")
        }
    }

    func checkSettings() throws {
        try TestSettings.check(FlashPersistentStore(ESPFlash(flash, target.profile).blocks))
    }
}

extension PowerCutCampaign {
    /// A campaign that installs `program`, an ESP image, in slots of `slotSize` bytes.
    public init(
        program: [UInt8], slotSize: Int, pageSize: Int = 256, seed: UInt64 = 1, mostSecondCuts: Int = 400
    ) throws {
        let image = try ESPImage(checking: ArraySource(program))
        let target = try ESP32UnderTest(
            image.chip, application: image.application.project, slotSize: slotSize, pageSize: pageSize)
        try self.init(
            target, installing: TestPackage(version: image.application.version, bytes: program), seed: seed,
            mostSecondCuts: mostSecondCuts)
    }
}
