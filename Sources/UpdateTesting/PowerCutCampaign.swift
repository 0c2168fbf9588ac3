import ByteTools
import DeviceStorage
import Installers
import Programs
import Synchronization

/// Cuts the power at every flash operation of updates and looks at what is left.
///
/// After each cut the device must boot the old or the new program with all persistent values, and take another update. A
/// cut is made by copying the flash as it would be at that moment; the memory of the running device is lost anyway.
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
        /// All cuts.
        public var totalCuts: Int { cuts.values.reduce(0, +) }

        mutating func fail(_ phase: Phase, _ text: String) {
            failureCounts[phase, default: 0] += 1
            if failures.count < 50 { failures.append("\(phase.rawValue), \(text)") }
        }
    }

    private let profile: HardwareProfile
    private let table: PartitionTable
    private let application: String
    private let old: [UInt8]
    private let new: [UInt8]
    private let next: [UInt8]
    private let pageSize: Int
    private let seed: UInt64

    /// A campaign that installs `program`, an image for `profile`, over a small one made here. The flash has slots of
    /// `slotSize` bytes. Page programs of `pageSize` bytes are the operations; 256 is what chips do, 4096 makes a
    /// campaign with a large program shorter.
    public init(program: [UInt8], slotSize: Int, pageSize: Int = 256, seed: UInt64 = 1) throws {
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
    }

    /// The values a device keeps through all of it.
    private static let values: [Int: [UInt8]] = [
        2: Array("network configuration".utf8), 14: (0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 31) }, 20: [],
    ]

    /// Runs all phases; takes seconds for a program of some ten kilobytes.
    public func run() throws -> Report {
        let recorder = Recorder(self)
        // A good program: written, selected, started, confirmed, then given up on request, and written once more.
        let device = Device(self, try provisioned())
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
            let device = Device(self, try provisioned())
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

    // MARK: One device

    /// An emulated device on one flash: what candy does around an update.
    private final class Device: Sendable {
        let flash: ObservedFlash
        private let campaign: PowerCutCampaign
        private let state = Mutex<(ESPBootLoader.Boot, ESP32Installer)?>(nil)

        init(_ campaign: PowerCutCampaign, _ flash: NORFlash) {
            self.campaign = campaign
            self.flash = ObservedFlash(flash, pageSize: campaign.pageSize)
        }

        func powerOn() throws {
            let parts = try ESPFlash(flash, campaign.profile)
            let boot = try ESPBootLoader(parts).boot()
            let installer = ESP32Installer(parts, running: boot, application: campaign.application)
            state.withLock { $0 = (boot, installer) }
        }

        private func running() throws -> (boot: ESPBootLoader.Boot, installer: ESP32Installer) {
            guard let running = state.withLock({ $0 }) else { throw Problem("the device is off") }
            return running
        }

        var program: [UInt8] {
            get throws {
                let running = try running()
                return try running.installer.readImage(slot: running.boot.slot)
            }
        }

        func install(_ program: [UInt8]) throws {
            let installer = try running().installer
            try installer.start()
            var offset = 0
            while offset < program.count {
                try installer.append(Array(program[offset..<min(program.count, offset + 1000)]))
                offset += 1000
            }
            _ = try installer.finish()
        }

        func prove() throws {
            let running = try running()
            if running.boot.needsProof { try running.installer.confirm() }
        }

        func rollBack() throws { try running().installer.markInvalidAndRollBack() }

        /// Starts, proves or gives up, until a program stays.
        func settle() throws {
            for _ in 0..<6 {
                try powerOn()
                let running = try running()
                if running.boot.behaviour.crashesAtBoot { continue }
                guard running.boot.needsProof else { return }
                switch running.boot.behaviour.selfTest {
                case .passes:
                    try running.installer.confirm()
                    return
                case .fails, .neverEnds:
                    try running.installer.markInvalidAndRollBack()
                }
            }
            throw Problem("no program stays")
        }

        func checkValues() throws {
            let store = try FlashPersistentStore(ESPFlash(flash, campaign.profile).blocks)
            guard try store.blocks() == PowerCutCampaign.values.keys.sorted() else {
                throw Problem("the persistent blocks are \(try store.blocks())")
            }
            for (block, value) in PowerCutCampaign.values where try store.read(block) != value {
                throw Problem("persistent block \(block) changed")
            }
        }
    }

    private struct Problem: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    // MARK: Cutting

    private final class Recorder: Sendable {
        private let campaign: PowerCutCampaign
        private let state: Mutex<(report: Report, random: SeededGenerator)>

        init(_ campaign: PowerCutCampaign) {
            self.campaign = campaign
            state = Mutex((Report(), SeededGenerator(seed: campaign.seed)))
        }

        var report: Report { state.withLock { $0.report } }

        /// Runs `steps` with a cut tried at each flash operation.
        func record(_ device: Device, _ phase: Phase, allowed: [[UInt8]], _ steps: () throws -> Void) throws {
            let otaData = campaign.table.first(.otaData)
            device.flash.observe { [self] operation, flash throws(FlashError) in
                // Writing ends where otadata is touched.
                let selects = otaData.map { ($0.offset..<$0.offset + $0.size).contains(operation.offset) } ?? false
                let phase = phase == .write && selects ? .select : phase
                try cut(operation, flash, phase, allowed: phase == .write ? [campaign.old] : allowed)
            }
            defer { device.flash.observe(nil) }
            try steps()
            try device.checkValues()
        }

        private func cut(
            _ operation: FlashOperation, _ flash: NORFlash, _ phase: Phase, allowed: [[UInt8]]
        ) throws(FlashError) {
            state.withLock { $0.report.operations[phase, default: 0] += 1 }
            for moment in PowerCut.allCases {
                let left = try state.withLock { state throws(FlashError) in
                    state.report.cuts[phase, default: 0] += 1
                    return try moment.remains(of: operation, on: flash, random: &state.random)
                }
                do {
                    try recover(left, allowed: allowed)
                } catch {
                    let place = String(operation.offset, radix: 16)
                    state.withLock { $0.report.fail(phase, "cut \(moment) 0x\(place): \(error)") }
                }
            }
        }

        private func recover(_ flash: NORFlash, allowed: [[UInt8]]) throws {
            let device = Device(campaign, flash)
            try device.settle()
            let program = try device.program
            guard allowed.contains(program) else { throw Problem("a program runs that must not") }
            state.withLock {
                if program == campaign.old { $0.report.oldProgram += 1 } else { $0.report.newProgram += 1 }
            }
            try device.checkValues()
            try device.install(campaign.next)
            try device.settle()
            guard try device.program == campaign.next else { throw Problem("the following update did not stay") }
            try device.checkValues()
        }
    }
}
