import Installers

/// Cuts the power at every operation of updates and looks at what is left.
///
/// After each cut the device must start the old or the new program with all settings and with records that stand for it, and
/// take another update. Of some cuts the start and the update that follow are cut a second time. A cut is made by copying
/// what outlives it as it would be at that moment; the memory of the running device is lost anyway.
public struct PowerCutCampaign: Sendable {
    /// Part of an update.
    public enum Phase: String, Sendable, CaseIterable {
        /// The program goes to where none runs; the old one must survive every cut.
        case write
        /// It is made the one that starts.
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
        /// Operations by phase.
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

        /// One line of counts.
        public func summary(of name: String) -> String {
            let phases = Phase.allCases.map { phase in
                "\(phase.rawValue) \(operations[phase] ?? 0) operations, \(cuts[phase] ?? 0) cuts"
            }
            return
                "\(name): \(phases.joined(separator: "; ")); \(totalCuts) power cuts and \(totalSecondCuts) second ones,"
                + " \(failureCount) failures"
        }
    }

    let target: any InstallerUnderTest
    let old: TestPackage
    let new: TestPackage
    let next: TestPackage
    let bad: [TestPackage]
    let seed: UInt64
    let mostSecondCuts: Int

    /// A campaign that installs `new` (a package of the target's own without one) over a program made here. About
    /// `mostSecondCuts` recoveries, chosen by `seed` and spread over the phases, are cut once more.
    public init(
        _ target: any InstallerUnderTest, installing new: TestPackage? = nil, seed: UInt64 = 1,
        mostSecondCuts: Int = 400
    ) throws {
        self.target = target
        let size = target.programSize
        self.new = try new ?? target.package("260102-0000")
        old = try target.package("260101-0000", size: min(size, 9000 + size % 7))
        next = try target.package("260103-0000", size: min(size, 8000))
        // Programs that must not stay.
        bad = try target.failures.filter { $0.selfTest != .neverEnds }.map {
            try target.package("260109-0000", size: min(size, 1000), behaviour: $0)
        }
        self.seed = seed
        self.mostSecondCuts = mostSecondCuts
    }

    /// Runs all phases; takes seconds for a program of some ten kilobytes.
    public func run() throws -> Report {
        let recorder = PowerCutRecorder(self, writes: try writesOfInstallation())
        // A good program: written, selected, started, confirmed, then given up on request, and written once more.
        let device = try target.device(running: old)
        _ = try device.start()
        try recorder.record(device, .write, allowed: [old, new]) { try device.install(new.bytes) }
        try recorder.record(device, .confirm, allowed: [old, new]) {
            if try device.start().isOnTrial { try device.confirm() }
        }
        try recorder.record(device, .rollBack, allowed: [old, new]) {
            try device.giveUp()
            _ = try device.start()
        }
        try recorder.record(device, .write, allowed: [old, new]) { try device.install(new.bytes) }
        for bad in bad {
            let device = try target.device(running: old)
            _ = try device.start()
            try device.install(bad.bytes)
            try recorder.record(device, .rollBack, allowed: [old]) { try device.settle() }
        }
        return recorder.report
    }

    /// Number of operations of one installation, so that the second cuts are spread over it.
    private func writesOfInstallation() throws -> Int {
        let device = try target.device(running: old)
        _ = try device.start()
        let count = Counter()
        device.observe { _ in count.add() }
        defer { device.observe(nil) }
        try device.install(new.bytes)
        return count.value
    }
}
