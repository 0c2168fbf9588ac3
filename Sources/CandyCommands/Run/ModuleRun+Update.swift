import DeviceDescription
import IOCOM
import IODevice
import Installers
import NIOPosix
import Programs
import TerminalUI

extension ModuleRun {
    /// Follows an upload.
    func follow(_ event: ControlStreamEvent) async throws -> Ending? {
        let before = report.phase
        report.note(event, text: module.updatable?.installerText)
        var ending: Ending?
        var isRestartedByOthers = false
        if case .stored(let block, .restart(let reason)) = event {
            ending = .restart(reason)
            if block == PersistentBlock.program {
                report.set(.restarting)
                await noteTrial()
                isRestartedByOthers = module.updatable?.isRestartedByOthers == true
            }
        }
        if report.phase != before {
            let reason = report.error.isEmpty ? "" : ": \(report.error)"
            log.note("update", "update: \(report.phase)\(reason)", [("phase", .string("\(report.phase)"))])
        }
        try await showUpdate()
        guard isRestartedByOthers else { return ending }
        try await letRestart()
        return nil
    }

    /// Tells who restarts the program that it may.
    private func letRestart() async throws {
        try await leave()
        guard let updatable = module.updatable else { return }
        try await Self.offLoop { updatable.mayRestart() }
    }

    /// Writes down what is about to be tried. The restart does not wait for a record that fails.
    private func noteTrial() async {
        guard let updatable = module.updatable else { return }
        do { try await Self.offLoop { try updatable.noteTrial() } } catch {
            log.note("record", "the update could not be written down: \(error)")
        }
    }

    /// Lets the trial, if there is one, know of an event and does what it decides.
    func prove(_ event: Proving.Event) async throws -> Ending? {
        switch proving?.handle(event, now: now) {
        case nil: return nil
        case .confirm:
            let ending = try await confirm()
            try await showUpdate()
            try await showConfiguration()
            return ending
        case .rollBack(let reason): return try await rollBack(reason)
        case .carryOn(let reason):
            report.set(
                .failed, error: "\(module.version) failed its trial and there is no program to go back to: \(reason)")
            log.note("update", report.error, [("phase", "failed")])
            try await showUpdate()
            return nil
        }
    }

    /// Asks how an installation ended that began before this start. What has to stop it meanwhile must not wait for the answer.
    func askInstaller() {
        guard waitsForInstaller, !asksInstaller, let updatable = module.updatable, let feed else { return }
        asksInstaller = true
        NIOThreadPool.singleton.submit { _ in
            let found = try? updatable.findings()
            feed.yield(.installer(found))
        }
    }

    /// The installer answered, or did not.
    func heard(_ found: UpdateFindings?) async throws {
        asksInstaller = false
        guard let found, found.phase != .installing else { return }
        waitsForInstaller = false
        guard report.phase == .installing else { return }
        report.noteInstalling(text: found.text)
        report.set(found.phase, error: found.error)
        let reason = found.error.isEmpty ? "" : ": \(found.error)"
        log.note("update", "update: \(found.phase)\(reason)", [("phase", .string("\(found.phase)"))])
        try await showUpdate()
    }

    /// Asks whether the others have proved themselves by now.
    func confirmWithOthers() async throws -> Ending? {
        guard waitsForOthers else { return nil }
        let ending = try await confirm()
        try await showUpdate()
        return ending
    }

    private func confirm() async throws -> Ending? {
        guard let updatable = module.updatable else { return nil }
        let confirmation: Confirmation
        do { confirmation = try await Self.offLoop { try updatable.confirm() } } catch {
            waitsForOthers = false
            // The next start gives the program up, as it was not confirmed.
            report.set(.failed, error: "\(module.version) proved itself but could not be confirmed: \(error)")
            proving?.cannotConfirm()
            log.note("update", report.error, [("phase", "failed")])
            return nil
        }
        switch confirmation {
        case .waitsForOthers:
            if !waitsForOthers {
                log.note("proving", "the other programs of this package have to prove themselves")
            }
            waitsForOthers = true
        case .refuted(let reason):
            waitsForOthers = false
            let ending = try await rollBack(reason)
            proving?.cannotConfirm()
            return ending
        case .confirmed(let problem):
            waitsForOthers = false
            report.set(.confirmed)
            log.note(
                "update", "update: the program \(module.version) proved itself and is confirmed",
                [("phase", "confirmed")])
            if let problem { log.note("record", problem) }
        }
        return nil
    }

    /// Gives up the running program for the one before. Restarts when that worked.
    func rollBack(_ reason: String) async throws -> Ending? {
        guard let updatable = module.updatable else { return nil }
        let version = module.version
        do { try await Self.offLoop { try updatable.goBack(reason) } } catch {
            proving?.cannotGoBack()
            report.set(.failed, error: "cannot go back from \(version): \(error)")
            log.note("update", report.error, [("phase", "failed")])
            try await showUpdate()
            return nil
        }
        report.set(.restarting, error: "\(version) is rolled back: \(reason)")
        log.note("update", "update: \(report.error)", [("phase", "restarting")])
        try await showUpdate()
        guard updatable.isRestartedByOthers else { return .restart("going back to the program before: \(reason)") }
        try await letRestart()
        return nil
    }
}
