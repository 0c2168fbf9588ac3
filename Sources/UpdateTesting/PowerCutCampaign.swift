import ByteTools
import DeviceStorage
import Installers
import Programs

/// Cuts the power at every flash operation of updates and looks at what is left.
///
/// After each cut the device must boot the old or the new program with all persistent values and an otadata that stands for
/// it, and take another update. Of some cuts the start and the update that follow are cut a second time. A cut is made by
/// copying the flash as it would be at that moment; the memory of the running device is lost anyway.
public struct PowerCutCampaign: Sendable {
    /// Part of an update.
    public enum Phase: String, Sendable, CaseIterable {
        /// The program goes into the other slot; the old one must survive every cut.
        case write
        /// The other slot is selected.
        case select = "switch"
        /// First start and confirmation.
        case confirm
        /// Rejected by the program itself, given up by the boot loader, or on request.
        case rollBack = "roll back"
    }

    /// What happened.
    public struct Report: Sendable {
        /// Number of cuts by phase.
        public internal(set) var cuts: [Phase: Int] = [:]
        /// Flash operations by phase.
        public internal(set) var operations: [Phase: Int] = [:]
        /// Second cuts, during the start and the update after a first one, by the phase of the first.
        public internal(set) var secondCuts: [Phase: Int] = [:]
        /// Cuts after which the old program ran.
        public internal(set) var oldProgram = 0
        /// Cuts after which the new program ran.
        public internal(set) var newProgram = 0
        /// What went wrong; empty is what is wanted. The first 50 are kept.
        public internal(set) var failures: [String] = []
        /// Number of failures by phase; a phase without one is missing.
        public internal(set) var failureCounts: [Phase: Int] = [:]
        /// Number of failures.
        public var failureCount: Int { failureCounts.values.reduce(0, +) }
        /// All first cuts.
        public var totalCuts: Int { cuts.values.reduce(0, +) }
        /// All second cuts.
        public var totalSecondCuts: Int { secondCuts.values.reduce(0, +) }

        mutating func fail(_ phase: Phase, _ text: String) {
            failureCounts[phase, default: 0] += 1
            if failures.count < 50 { failures.append("\(phase.rawValue), \(text)") }
        }
    }

    let profile: HardwareProfile
    let table: PartitionTable
    let application: String
    let old: [UInt8]
    let new: [UInt8]
    let next: [UInt8]
    let pageSize: Int
    let seed: UInt64
    let mostSecondCuts: Int

    /// A campaign that installs `program`, an image for `profile`, over a small one made here. The flash has slots of
    /// `slotSize` bytes. Page programs of `pageSize` bytes are the operations; 256 is what chips do, 4096 makes a
    /// campaign with a large program shorter. About `mostSecondCuts` recoveries, chosen by `seed` and spread over the
    /// phases, are cut once more.
    public init(
        program: [UInt8], slotSize: Int, pageSize: Int = 256, seed: UInt64 = 1, mostSecondCuts: Int = 400
    ) throws {
        let image = try ESPImage(checking: ArraySource(program))
        let blocks = 16 * NORFlash.sectorSize
        let start = 0x10000
        profile = HardwareProfile(
            name: "campaign", os: "esp32", hardware: "campaign", chip: image.chip,
            flashSize: start + 2 * slotSize + blocks, bootLoaderOffset: 0)
        table = try PartitionTable(
            [
                Partition(label: "otadata", kind: .otaData, offset: 0xA000, size: 2 * NORFlash.sectorSize),
                Partition(label: "app0", kind: .ota(0), offset: start, size: slotSize),
                Partition(label: "app1", kind: .ota(1), offset: start + slotSize, size: slotSize),
                Partition(label: "blocks", kind: .undefinedData, offset: start + 2 * slotSize, size: blocks),
            ], flashSize: profile.flashSize)
        application = image.application.project
        new = program
        func other(_ version: String) -> [UInt8] {
            var builder = ESPImageBuilder(chip: image.chip, project: image.application.project, version: version)
            var random = SeededGenerator(seed: UInt64(version.count) &+ seed)
            builder.data = random.bytes(9000)
            return builder.build()
        }
        old = other("old")
        next = other("following")
        self.pageSize = pageSize
        self.seed = seed
        self.mostSecondCuts = mostSecondCuts
    }

    /// The values a device keeps through all of it.
    static let values: [Int: [UInt8]] = [
        2: Array("network configuration".utf8), 14: (0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 31) }, 20: [],
    ]

    /// Runs all phases; takes seconds for a program of some ten kilobytes.
    public func run() throws -> Report {
        let recorder = PowerCutRecorder(self)
        // A good program: written, selected, started, confirmed, then given up on request, and written once more.
        let device = CampaignDevice(self, try provisioned())
        try device.powerOn()
        try recorder.record(device, .write, allowed: [old, new]) { try device.install(new) }
        try recorder.record(device, .confirm, allowed: [old, new]) {
            try device.powerOn()
            try device.prove()
        }
        try recorder.record(device, .rollBack, allowed: [old, new]) {
            try device.rollBack()
            try device.powerOn()
        }
        try recorder.record(device, .write, allowed: [old, new]) { try device.install(new) }
        // Programs that must not stay.
        for behaviour in [ProgramBehaviour(selfTest: .fails), ProgramBehaviour(crashesAtBoot: true)] {
            let bad = badProgram(behaviour)
            let device = CampaignDevice(self, try provisioned())
            try device.powerOn()
            try device.install(bad)
            try recorder.record(device, .rollBack, allowed: [old]) { try device.settle() }
        }
        return recorder.report
    }

    private func badProgram(_ behaviour: ProgramBehaviour) -> [UInt8] {
        var builder = ESPImageBuilder(chip: profile.chip, project: application, version: "bad")
        builder.record = behaviour.record
        return builder.build()
    }

    private func provisioned() throws -> NORFlash {
        let flash = try NORFlash(size: profile.flashSize)
        let parts = try ESPFlash.provision(flash, profile, table: table, program: old)
        let store = try FlashPersistentStore(parts.blocks)
        for (block, value) in Self.values { try store.write(block, value) }
        return flash
    }
}
