import Synchronization

/// Counts from any thread.
final class Counter: Sendable {
    private let count = Atomic(0)
    func add() { count.wrappingAdd(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}

/// Makes the cuts of a campaign and looks at what is left.
final class PowerCutRecorder: Sendable {
    private typealias Phase = PowerCutCampaign.Phase

    private let campaign: PowerCutCampaign
    private let writes: Int
    private let state: Mutex<(report: PowerCutCampaign.Report, random: SeededGenerator)>

    init(_ campaign: PowerCutCampaign, writes: Int) {
        self.campaign = campaign
        self.writes = max(1, writes)
        state = Mutex((PowerCutCampaign.Report(), SeededGenerator(seed: campaign.seed)))
    }

    var report: PowerCutCampaign.Report { state.withLock { $0.report } }

    /// Runs `steps` with a cut tried at each operation.
    func record(
        _ device: any DeviceUnderTest, _ phase: PowerCutCampaign.Phase, allowed: [TestPackage],
        _ steps: () throws -> Void
    ) throws {
        device.observe { [self] operation in
            let phase = operation.phase(in: phase)
            cut(operation, phase, allowed: phase == .write ? [campaign.old] : allowed)
        }
        defer { device.observe(nil) }
        try steps()
        try device.checkSettings()
    }

    private func cut(_ operation: any DeviceOperation, _ phase: Phase, allowed: [TestPackage]) {
        state.withLock { $0.report.operations[phase, default: 0] += 1 }
        for moment in PowerCut.allCases {
            do {
                let left = try state.withLock { state in
                    state.report.cuts[phase, default: 0] += 1
                    return try operation.device(after: moment, &state.random)
                }
                if let sample = try recover(left, allowed: allowed, sampling: isCutTwice(phase)) {
                    try cutAgain(sample, phase, allowed: allowed)
                }
            } catch {
                let text = "cut \(moment) \(operation.place): \(error)"
                state.withLock { $0.report.fail(phase, text) }
            }
        }
    }

    // MARK: After a cut

    /// What one operation of a recovery leaves when it is cut.
    private struct Sample: Sendable {
        let place: String
        let moment: PowerCut
        let device: any DeviceUnderTest
        /// The update that follows was or is being made the program that starts.
        let mayRunNext: Bool
    }

    private struct Sampling {
        var seen = 0
        var isUpdating = false
        var isSelecting = false
        var sample: Sample?
        var problem: (any Error)?
    }

    /// Starts the device, checks what it is, and updates it. Gives what a cut of one of the operations of all this leaves,
    /// each with the same chance, when asked for.
    private func recover(
        _ device: any DeviceUnderTest, allowed: [TestPackage], sampling: Bool
    ) throws -> Sample? {
        let kept = Mutex(Sampling())
        if sampling {
            device.observe { [self] operation in
                kept.withLock { kept in
                    kept.seen += 1
                    if kept.isUpdating && operation.phase(in: .write) != .write { kept.isSelecting = true }
                    let seen = kept.seen
                    do {
                        try state.withLock { state in
                            guard Int.random(in: 0..<seen, using: &state.random) == 0 else { return }
                            let moment = PowerCut.allCases[Int.random(in: 0..<4, using: &state.random)]
                            kept.sample = Sample(
                                place: operation.place, moment: moment,
                                device: try operation.device(after: moment, &state.random),
                                mayRunNext: kept.isSelecting)
                        }
                    } catch { kept.problem = error }
                }
            }
        }
        defer { device.observe(nil) }
        try settle(device, allowed: allowed)
        kept.withLock { $0.isUpdating = true }
        try device.install(campaign.next.bytes)
        try device.settle()
        guard try device.runs(campaign.next) else { throw ContractBreach("the following update did not stay") }
        try device.checkSettings()
        try device.checkRecords()
        if let problem = kept.withLock({ $0.problem }) { throw problem }
        return kept.withLock { $0.sample }
    }

    private func settle(_ device: any DeviceUnderTest, allowed: [TestPackage]) throws {
        try device.settle()
        guard let program = try allowed.first(where: { try device.runs($0) }) else {
            throw ContractBreach("a program runs that must not")
        }
        state.withLock {
            if program == campaign.old { $0.report.oldProgram += 1 }
            if program == campaign.new { $0.report.newProgram += 1 }
        }
        try device.checkSettings()
        try device.checkRecords()
    }

    // MARK: Cutting the recovery

    /// Few cuts are outside of the phase of writing, so most of those are cut twice; writing gets what is left.
    private func isCutTwice(_ phase: Phase) -> Bool {
        state.withLock { state in
            let done = state.report.secondCuts[phase] ?? 0
            guard phase == .write else { return done < campaign.mostSecondCuts / 4 }
            // Writing happens twice, with four cuts an operation.
            let chance = Double(campaign.mostSecondCuts / 2) / Double(8 * writes)
            return done < campaign.mostSecondCuts / 2 && Double.random(in: 0..<1, using: &state.random) < chance
        }
    }

    private func cutAgain(_ sample: Sample, _ phase: Phase, allowed: [TestPackage]) throws {
        state.withLock { $0.report.secondCuts[phase, default: 0] += 1 }
        do {
            _ = try recover(
                sample.device, allowed: sample.mayRunNext ? allowed + [campaign.next] : allowed, sampling: false)
        } catch {
            throw ContractBreach("second cut \(sample.moment) \(sample.place): \(error)")
        }
    }
}
