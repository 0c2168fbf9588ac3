import DeviceStorage
import Synchronization

/// Makes the cuts of a campaign and looks at what is left.
final class PowerCutRecorder: Sendable {
    private typealias Phase = PowerCutCampaign.Phase

    private let campaign: PowerCutCampaign
    private let state: Mutex<(report: PowerCutCampaign.Report, random: SeededGenerator)>

    init(_ campaign: PowerCutCampaign) {
        self.campaign = campaign
        state = Mutex((PowerCutCampaign.Report(), SeededGenerator(seed: campaign.seed)))
    }

    var report: PowerCutCampaign.Report { state.withLock { $0.report } }

    /// Runs `steps` with a cut tried at each flash operation.
    func record(
        _ device: CampaignDevice, _ phase: PowerCutCampaign.Phase, allowed: [[UInt8]], _ steps: () throws -> Void
    ) throws {
        device.flash.observe { [self] operation, flash throws(FlashError) in
            // Writing ends where otadata is touched.
            let phase = phase == .write && touchesOTAData(operation) ? .select : phase
            try cut(operation, flash, phase, allowed: phase == .write ? [campaign.old] : allowed)
        }
        defer { device.flash.observe(nil) }
        try steps()
        try device.checkValues()
    }

    private func touchesOTAData(_ operation: FlashOperation) -> Bool {
        campaign.table.first(.otaData).map { ($0.offset..<$0.offset + $0.size).contains(operation.offset) } ?? false
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
                if let sample = try recover(left, allowed: allowed, sampling: isCutTwice(phase)) {
                    try cutAgain(sample, phase, allowed: allowed)
                }
            } catch {
                let place = String(operation.offset, radix: 16)
                state.withLock { $0.report.fail(phase, "cut \(moment) 0x\(place): \(error)") }
            }
        }
    }

    // MARK: After a cut

    /// The flash before one operation of a recovery.
    private struct Sample {
        let operation: FlashOperation
        let flash: NORFlash
        /// Otadata was or is being touched for the update that follows, so that its program may run.
        let mayRunNext: Bool
    }

    /// Starts the device, checks what it is, and updates it. Gives one of the operations of all this, each with the same
    /// chance, when asked for.
    private func recover(_ flash: NORFlash, allowed: [[UInt8]], sampling: Bool) throws -> Sample? {
        let device = CampaignDevice(campaign, flash)
        let kept = Mutex<(seen: Int, isSelecting: Bool, sample: Sample?)>((0, false, nil))
        let isUpdating = Mutex(false)
        if sampling {
            device.flash.observe { [self] operation, flash throws(FlashError) in
                try kept.withLock { kept throws(FlashError) in
                    kept.seen += 1
                    if isUpdating.withLock({ $0 }) && touchesOTAData(operation) { kept.isSelecting = true }
                    let seen = kept.seen
                    guard state.withLock({ Int.random(in: 0..<seen, using: &$0.random) }) == 0 else { return }
                    kept.sample = Sample(
                        operation: operation, flash: try NORFlash(contents: flash.read(at: 0, count: flash.size)),
                        mayRunNext: kept.isSelecting)
                }
            }
        }
        defer { device.flash.observe(nil) }
        try settle(device, allowed: allowed)
        isUpdating.withLock { $0 = true }
        try device.install(campaign.next)
        try device.settle()
        guard try device.program == campaign.next else {
            throw CampaignProblem("the following update did not stay")
        }
        try device.checkValues()
        try device.checkOTAData()
        return kept.withLock { $0.sample }
    }

    private func settle(_ device: CampaignDevice, allowed: [[UInt8]]) throws {
        try device.settle()
        let program = try device.program
        guard allowed.contains(program) else { throw CampaignProblem("a program runs that must not") }
        state.withLock {
            if program == campaign.old { $0.report.oldProgram += 1 }
            if program == campaign.new { $0.report.newProgram += 1 }
        }
        try device.checkValues()
        try device.checkOTAData()
    }

    // MARK: Cutting the recovery

    /// Few cuts are outside of the phase of writing, so all of those are cut twice; writing gets what is left.
    private func isCutTwice(_ phase: Phase) -> Bool {
        state.withLock { state in
            let done = state.report.secondCuts[phase] ?? 0
            guard phase == .write else { return done < campaign.mostSecondCuts / 4 }
            let operations = max(1, campaign.new.count / campaign.pageSize)
            // Writing happens twice, with four cuts an operation.
            let chance = Double(campaign.mostSecondCuts / 2) / Double(8 * operations)
            return done < campaign.mostSecondCuts / 2 && Double.random(in: 0..<1, using: &state.random) < chance
        }
    }

    private func cutAgain(_ sample: Sample, _ phase: Phase, allowed: [[UInt8]]) throws {
        let (moment, left) = try state.withLock { state throws(FlashError) in
            state.report.secondCuts[phase, default: 0] += 1
            let moments = PowerCut.allCases
            let moment = moments[Int.random(in: 0..<moments.count, using: &state.random)]
            return (moment, try moment.remains(of: sample.operation, on: sample.flash, random: &state.random))
        }
        do {
            _ = try recover(left, allowed: sample.mayRunNext ? allowed + [campaign.next] : allowed, sampling: false)
        } catch {
            let place = String(sample.operation.offset, radix: 16)
            throw CampaignProblem("second cut \(moment) 0x\(place): \(error)")
        }
    }
}
