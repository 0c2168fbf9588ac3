public import ByteTools
import DeviceDescription
public import IOCOM
public import Programs
import Synchronization

/// Writes a program into a device and follows it until the new program proved itself or the old one runs again.
public struct ProgramUpdate: Sendable {
    /// What is going on, as far as it is known.
    public enum Phase: String, Sendable {
        /// Bytes travel.
        case receiving
        /// The device checks what it got.
        case verifying
        /// The device installs.
        case installing
        /// The device restarts.
        case restarting
        /// The new program runs on trial.
        case proving
    }

    /// How it ended.
    public enum Result: String, Sendable {
        /// The new program runs and proved itself.
        case confirmed
        /// The old program runs again.
        case rolledBack
        /// The device did not take the package and is unchanged.
        case refused
        /// The transfer or the installation failed; the old program runs.
        case failed
        /// What is known is in the reason; a device of the original cannot tell more.
        case unknown
    }

    /// Everything there is to say of an update that has ended.
    public struct Outcome: Sendable {
        /// How it ended.
        public var result: Result
        /// Version that runs now, when the device says.
        public var version: String?
        /// Version that ran before.
        public var previous: String?
        /// Bytes the device confirmed.
        public var bytes: UInt64
        /// Time until the result.
        public var seconds: Double
        /// Why it ended so; nil when there is nothing to explain.
        public var reason: String?
        /// The device's code, for devices that have no more to say.
        public var status: StreamStatus?
    }

    /// The signed manifest of the package; sent first to a device that knows of signatures.
    public var manifest: SignedManifest?
    /// Longest time for restart and proof.
    public var proofSeconds: Double = 300
    /// Hears each line of what the tool says that installs, for devices that pass it on; must be quick.
    public var said: @Sendable (String) -> Void = { _ in }
    private let access: Operator
    private let path: DevicePath
    private let version: String
    private let clock = ContinuousClock()

    /// An update of `path` to the version that the package says of itself.
    public init(_ access: Operator, device path: DevicePath, version: String) {
        self.access = access
        self.path = path
        self.version = version
    }

    /// Writes, waits, reports. `progress` gets each phase and the bytes the device has confirmed; it must be quick.
    public func run(
        _ package: any ByteSource & Sendable, progress: @escaping @Sendable (Phase, UInt64) -> Void
    ) async throws -> Outcome {
        let start = clock.now
        let before = try await access.device(path)
        if let update = before.update, update.phase.isUnderWay {
            throw OperatorError(
                .busy,
                "\(path) is in the middle of another update (\(update.phase.text)); wait until that one has ended")
        }
        let total = UInt64(try package.byteCount)
        if before.update?.keys != nil, let manifest { try await send(manifest) }
        let ears = Ears(after: before.update, said)
        // The device installs before the transfer ends.
        let watch = Task { try await watchInstalling(ears) { progress(.installing, total) } }
        defer { watch.cancel() }
        let transfer = try await access.write(package, to: 1, of: path) { bytes in
            progress(bytes >= total ? .verifying : .receiving, bytes)
        }
        watch.cancel()
        var outcome = Outcome(
            result: .failed, version: before.version, previous: before.version, bytes: transfer.bytes, seconds: 0,
            reason: transfer.failure?.description, status: transfer.status)
        if transfer.failure == nil || transfer.lostAfterLastByte {
            if before.update != nil {
                try await follow(&outcome, total, after: before.update, ears) { progress($0, total) }
            } else {
                try await followOriginal(&outcome, before) { progress($0, total) }
            }
        } else if let failure = transfer.failure {
            if failure.kind == .busy || failure.kind == .cancelled { throw failure }
            outcome.result = transfer.status?.isError == true ? .refused : .failed
            // What the device says may still be about an earlier update: it takes a moment, or it never took notice of this
            // one. A device that refuses twice for the same reason says nothing new.
            var reason = try await deviceReason(after: before.update, ears)
            if reason == nil, before.update != nil, transfer.status?.isError == true {
                reason = try await deviceReason(after: nil, ears)
            }
            if let reason { outcome.reason = "\(path) refused the package: \(reason)" }
        }
        outcome.seconds = (clock.now - start) / .seconds(1)
        return outcome
    }

    private func send(_ manifest: SignedManifest) async throws {
        let transfer = try await access.write(
            ArraySource(Array(manifest.text.utf8)), to: Self.manifestBlock, of: path, progress: { _ in })
        if let failure = transfer.failure { throw failure }
    }

    /// Persistent block of the manifest.
    private static let manifestBlock = 13

    /// What a device with `update` signals says about a refusal, unless its state is still the `earlier` one.
    private func deviceReason(after earlier: UpdateStatus?, _ ears: Ears) async throws -> String? {
        let update = try await access.waitForDevice(path, seconds: 2) { summary -> UpdateStatus? in
            guard let update = summary?.update, update != earlier, update.phase == .failed, update.error != nil
            else { return nil }
            return update
        }
        ears.hear(update?.text)
        return update?.error
    }

    /// Passes each new line of what is said on, once.
    private final class Ears: Sendable {
        private let lines = Mutex(HeardLines())
        private let said: @Sendable (String) -> Void

        /// What was said of an earlier update is not new.
        init(after earlier: UpdateStatus?, _ said: @escaping @Sendable (String) -> Void) {
            self.said = said
            lines.withLock { _ = $0.hear(earlier?.text) }
        }

        func hear(_ text: String?) {
            for line in lines.withLock({ $0.hear(text) }) { said(line) }
        }
    }

    /// Tells that the device installs, and what it says meanwhile.
    private func watchInstalling(_ ears: Ears, _ installs: @Sendable () -> Void) async throws {
        var seen: String?
        while !Task.isCancelled {
            let known = seen
            let text = try await access.waitForDevice(path, seconds: 1) { summary -> String? in
                guard let update = summary?.update, update.phase == .installing else { return nil }
                let text = update.text ?? ""
                return text == known ? nil : text
            }
            guard let text, !Task.isCancelled else { continue }
            if seen == nil { installs() }
            seen = text
            ears.hear(text)
        }
    }

    private enum Step: Sendable, Equatable {
        case away
        case phase(Phase, said: String?)
        case ended(UpdateStatus)
    }

    /// Follows the `update` signals through restart and proof. `before` is what they said before the update.
    private func follow(
        _ outcome: inout Outcome, _ total: UInt64, after before: UpdateStatus?, _ ears: Ears,
        progress: @Sendable (Phase) -> Void
    ) async throws {
        let deadline = clock.now + .seconds(proofSeconds)
        var last: Step?
        var sawChange = false
        while clock.now < deadline {
            let seen = last
            let changed = sawChange
            let next = try await access.waitForDevice(path, seconds: 1) { summary -> Step? in
                let step = Self.step(summary, changed ? nil : before)
                return step == seen ? nil : step
            }
            guard let next else { continue }
            last = next
            switch next {
            case .away:
                sawChange = true
                progress(.restarting)
            case .phase(let phase, let text):
                sawChange = true
                ears.hear(text)
                progress(phase)
            case .ended(let update):
                ears.hear(update.text)
                return finish(&outcome, update, total)
            }
        }
        outcome.result = .unknown
        outcome.reason =
            last == .away
            ? "\(path) took the whole package, restarted and has not come back; look at the device and its network"
            : "\(path) did not say in time how the update ended; ask it with 'ispy program status \(path)'"
    }

    /// `before` is the device's state of before the update as long as it was not seen to leave that: its end must not be
    /// taken for this one's. An end that says something else is this one's, where all between was too quick to be seen.
    private static func step(_ summary: DeviceSummary?, _ before: UpdateStatus?) -> Step? {
        guard let summary else { return .away }
        guard let update = summary.update else { return nil }
        let phase: Phase
        switch update.phase {
        // Every byte is confirmed by now: a signal that is still on its way from before must not turn the phases back.
        case .receiving, .idle: return nil
        case .verifying: phase = .verifying
        case .installing: phase = .installing
        case .restarting: phase = .restarting
        case .proving: phase = .proving
        case .confirmed, .rolledBack, .failed:
            if let before, (before.phase, before.version, before.error) == (update.phase, update.version, update.error)
            {
                return nil
            }
            return .ended(update)
        }
        return .phase(phase, said: update.text)
    }

    private func finish(_ outcome: inout Outcome, _ update: UpdateStatus, _ total: UInt64) {
        outcome.bytes = max(outcome.bytes, total)
        outcome.version = update.version
        switch update.phase {
        case .confirmed where update.version == version:
            outcome.result = .confirmed
            outcome.reason = nil
        case .confirmed:
            outcome.result = .unknown
            outcome.reason =
                "\(path) runs version \(update.version ?? "unknown"), not \(version): another update may have come in between"
        case .rolledBack:
            outcome.result = .rolledBack
            outcome.reason = update.error ?? "\(path) went back to the old program and gave no reason"
        default:
            outcome.result = .failed
            outcome.reason = update.error ?? "\(path) gave no reason"
        }
    }

    /// A device of the original has its result code only, and restarts without a word (application-layer.md 4.3).
    private func followOriginal(
        _ outcome: inout Outcome, _ before: DeviceSummary, progress: @Sendable (Phase) -> Void
    ) async throws {
        progress(.restarting)
        let went = try await access.waitForDevice(path, seconds: 10) { $0 == nil ? true : nil }
        let after =
            went == nil
            ? try? await access.device(path) : try await access.waitForDevice(path, seconds: 120) { $0 }
        outcome.result = .unknown
        outcome.version = after?.version
        if let after, after.version == version, after.version != before.version {
            outcome.result = .confirmed
            outcome.reason =
                "\(path) came back and says that it runs \(version); it cannot say whether it tested itself"
        } else if went != nil && after == nil {
            outcome.reason = "\(path) took the whole package and went away, and has not come back within two minutes"
        } else if outcome.status == .completed {
            outcome.reason =
                "\(path) reports the package as written (code 6); it cannot say whether the new program runs"
        } else {
            outcome.reason =
                "\(path) took the whole package and restarted; it says nothing about the program that runs now"
        }
    }

    /// Asks the device to go back to its previous program and follows it.
    public func rollBack(progress: @escaping @Sendable (Phase) -> Void) async throws -> Outcome {
        let start = clock.now
        let before = try await access.device(path)
        guard let update = before.update else {
            throw OperatorError(.notSupported, "\(path) has no signal for going back to its previous program")
        }
        guard update.previous != nil else {
            throw OperatorError(.notSupported, "\(path) holds no previous program to go back to")
        }
        try await access.set("upd_rollback", to: "true", of: path)
        var outcome = Outcome(
            result: .failed, version: before.version, previous: before.version, bytes: 0, seconds: 0, reason: nil,
            status: nil)
        let returning = ProgramUpdate(access, device: path, version: update.previous ?? "")
        try await returning.follow(&outcome, 0, after: update, Ears(after: update, said), progress: progress)
        outcome.seconds = (clock.now - start) / .seconds(1)
        return outcome
    }
}
