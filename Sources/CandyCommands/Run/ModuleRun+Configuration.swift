import DeviceDescription
import DeviceStorage
import Discovery
import IOCOM
import IOCOMTransport
import IODevice
import NetworkConfiguration
import TerminalUI

extension ModuleRun {
    // MARK: Trial

    /// The configuration is new: gives it its time.
    func beginConfigurationTrial() {
        proof = ConfigurationProof(limit: settings.configurationWithin, now: now)
        let seconds = settings.configurationWithin / 1000
        log.note(
            "configuration", "the new configuration has \(seconds) s to reach \(servers)", [("state", "trial")])
    }

    private var servers: String {
        ([settings.address] + settings.otherAddresses).map(\.description).joined(separator: " or ")
    }

    /// The server knows the device.
    func proveConfiguration() async throws {
        guard proof?.handle(.connected, now: now) == .proved else { return }
        do {
            try await Self.offLoop { [keeper] in try keeper.proved() }
            log.note("configuration", "the new configuration proved itself and is in force", [("state", "inForce")])
        } catch {
            configurationProblem = "the new configuration proved itself but that could not be stored: \(error)"
            log.note("configuration", configurationProblem)
        }
        try await showConfiguration()
    }

    /// Time went by: saves what was set, ends a trial, restarts.
    func lookAtConfiguration() async throws -> Ending? {
        let isTime = restartAt.map { now >= $0 } ?? false
        if let values = watch.due(now: now, atOnce: isTime) { try await saveSettings(values) }
        if isTime { return .restart("an operator asked for it") }
        guard proof?.handle(.time, now: now) == .failed else { return nil }
        let seconds = settings.configurationWithin / 1000
        let reason = "it did not reach \(servers) within \(seconds) s"
        do { try await Self.offLoop { [keeper] in try keeper.failed(reason) } } catch {
            // The next starts try again, and then it is put back.
            log.note("configuration", "the last good configuration could not be put back: \(error)")
            return .restart("the new configuration failed: \(reason)")
        }
        log.note("configuration", "the new configuration was put back: \(reason)", [("state", "putBack")])
        return .restart("going back to the last good configuration")
    }

    // MARK: Signals

    /// Shows what is in force, what waits, and where the change stands.
    func showConfiguration() async throws {
        let (status, stored) = try await Self.offLoop { [keeper] in (try keeper.status(), try keeper.stored()) }
        let next = ModuleConfiguration(commandLine, stored)
        // What is about to be in force, or is because nothing is stored that could be used.
        var error = configurationProblem
        if error.isEmpty, status.state == .putBack, !status.reason.isEmpty {
            error = "the new configuration was put back: \(status.reason)"
        }
        if error.isEmpty, let problem = next.problem { error = problem }
        if error.isEmpty, status.state == .saved, report.phase == .proving {
            error = "it waits until the new program has proved itself; restart the device then"
        }
        try await show(
            configuration.shown.signals(stored: next.shown)
                + [("cfg_state", .integer(status.state.rawValue)), ("cfg_error", .text(error))])
    }

    /// A block was stored.
    func showSavedConfiguration() async throws {
        configurationProblem = ""
        log.note(
            "configuration", "a new configuration was stored; it counts after a restart", [("state", "saved")])
        try await showConfiguration()
    }

    private func saveSettings(_ values: [String: String]) async throws {
        do {
            let isNew = try await Self.offLoop { [keeper] in
                let before = try keeper.stored().settings.flatMap { $0.isEmpty ? nil : $0 }
                // Settings that cannot be read are written anew.
                var settings = before.flatMap { try? NodeSettings(reading: $0) } ?? NodeSettings()
                let old = settings
                SettingsWatch.put(values, into: &settings)
                guard settings != old else { return false }
                if let problem = settings.problems.first { throw problem }
                try keeper.save(settings: settings.bytes)
                return true
            }
            if isNew { try await showSavedConfiguration() }
        } catch {
            configurationProblem = "the settings were not saved: \(error)"
            log.note("configuration", configurationProblem)
            try await showConfiguration()
        }
    }

    // MARK: Commands

    func obeyConfiguration(_ command: String) async throws -> Ending? {
        switch command {
        case "reboot":
            guard try await note(command) else { return nil }
            restartAt = now + SettingsWatch.rest
            return nil
        case "forget_it": return try await wipe(.forget, for: command)
        case "factory_rst": return try await wipe(.factory, for: command)
        case "cfg_back": return try await goBack(for: command)
        default: return nil
        }
    }

    /// Writes down what is about to be obeyed, so that it is obeyed once. Not obeyed when that fails: a controller that keeps its
    /// values would have it done for ever.
    private func note(_ command: String, wipe: DeviceNotes.Wipe? = nil) async throws -> Bool {
        var next = notes
        next.commands.insert(command)
        next.settings = watch.fingerprints
        next.wipe = wipe
        let noted = next
        do { try await Self.offLoop { [module] in try noted.save(in: module.store) } } catch {
            configurationProblem = "\(command) is not done, because it could not be written down: \(error)"
            log.note("configuration", configurationProblem)
            try await showConfiguration()
            return false
        }
        notes = noted
        return true
    }

    private func wipe(_ wipe: DeviceNotes.Wipe, for command: String) async throws -> Ending? {
        guard try await note(command, wipe: wipe) else { return nil }
        return .restart(wipe == .forget ? "the secret is to be forgotten" : "factory reset")
    }

    private func goBack(for command: String) async throws -> Ending? {
        guard try await note(command) else { return nil }
        let answer: (isBack: Bool, mustRestart: Bool)
        do {
            answer = try await Self.offLoop { [keeper] in
                guard try keeper.goBack() else { return (false, false) }
                return (true, try keeper.stored() != keeper.running)
            }
        } catch {
            configurationProblem = "the last good configuration could not be put back: \(error)"
            log.note("configuration", configurationProblem)
            try await showConfiguration()
            return nil
        }
        configurationProblem = answer.isBack ? "" : "there is no other configuration to go back to"
        log.note(
            "configuration", answer.isBack ? "going back to the last good configuration" : configurationProblem)
        if answer.mustRestart { return .restart("going back to the last good configuration") }
        try await showConfiguration()
        return nil
    }
}
