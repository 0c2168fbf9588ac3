import ByteTools
import DeviceDescription
import DeviceStorage
import IOCOM
import IOOperator
import Installers
import Programs
import Testing

@testable import CandyCommands

/// The whole life of a module against an operator that listens: real connections, real flash file.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ModuleLifeTests {
    private let first = CandySettings.builtInVersion
    private let second = "240101-1000"

    @Test func aGoodProgramIsInstalledProvesItselfAndStays() async throws {
        let live = try await LiveModule()
        try live.start()
        #expect(try await live.wait(.idle, version: first)?.slot == "ota_0")
        let result = try await live.write(second)
        #expect(result.status == .completed)
        let update = try await live.wait(.confirmed, version: second)
        #expect(update?.slot == "ota_1")
        #expect(update?.previous == first)
        #expect(update?.error ?? "" == "")
        try await live.switchOff()
        let flash = try ESPFlash(live.folder.flashCopy(), .esp32)
        let image = try flash.image(in: 1)
        #expect(try flash.slots[1].bytes(at: 0, count: image.size) == LiveModule.program(second))
        // The record was kept: after the power was off it is still the confirmed one.
        try live.start()
        #expect(try await live.wait(.confirmed, version: second) != nil)
        try await live.end()
    }

    @Test(arguments: [
        (ProgramBehaviour(selfTest: .fails), "its self-test failed"),
        (ProgramBehaviour(selfTest: .neverEnds), "its self-test did not end within 1 s"),
        (ProgramBehaviour(neverConnects: true), "it did not reach its server within 10 s"),
        (
            ProgramBehaviour(crashesAtBoot: true),
            "the new program 240101-1000 did not confirm itself before the device restarted"
        ),
    ])
    func aBadProgramIsRolledBackWithItsReason(behaviour: ProgramBehaviour, reason: String) async throws {
        let live = try await LiveModule()
        // Only who waits for the end of the time gets little of it: a busy machine may take seconds for a self-test.
        let limits: [(String, Int64)] = [("within 1 s", 1000), ("within 10 s", 10_000)]
        try live.start(confirmWithin: limits.first { reason.hasSuffix($0.0) }?.1 ?? 300_000)
        #expect(try await live.wait(.idle, version: first) != nil)
        #expect(try await live.write(second, behaviour).status == .completed)
        let update = try await live.wait(.rolledBack, version: first)
        #expect(update?.error == "\(second) was rolled back to \(first): \(reason)")
        #expect(update?.slot == "ota_0")
        // And the device can be updated again.
        try await live.switchOff()
        try live.start()
        #expect(try await live.wait(.rolledBack, version: first) != nil)
        #expect(try await live.write("240102-1000").status == .completed)
        #expect(try await live.wait(.confirmed, version: "240102-1000") != nil, "\(live.log)")
        try await live.end()
    }

    @Test func aRestartDuringTheTrialGoesBack() async throws {
        let live = try await LiveModule()
        try live.start()
        #expect(try await live.wait(.idle, version: first) != nil)
        _ = try await live.write(second, ProgramBehaviour(selfTest: .neverEnds))
        #expect(try await live.wait(.proving, version: second) != nil)
        // No second program while the way back is needed.
        #expect(try await live.write("240102-1000").status == .failed)
        try await live.switchOff()
        try live.start()
        let update = try await live.wait(.rolledBack, version: first)
        #expect(update?.error?.hasSuffix("did not confirm itself before the device restarted") == true)
        try await live.end()
    }

    @Test func anOperatorConfirmsATrialAndGoesBackLater() async throws {
        let live = try await LiveModule()
        try live.start()
        #expect(try await live.wait(.idle, version: first) != nil)
        _ = try await live.write(second, ProgramBehaviour(selfTest: .neverEnds))
        #expect(try await live.wait(.proving, version: second) != nil)
        try await live.operator_.set("upd_confirm", to: "true", of: LiveModule.path)
        #expect(try await live.wait(.confirmed, version: second) != nil)
        try await live.operator_.set("upd_rollback", to: "true", of: LiveModule.path)
        let update = try await live.wait(.rolledBack, version: first)
        #expect(update?.error == "\(second) was rolled back to \(first): an operator asked for it")
        // Once is all there is: the program given up is not gone back to.
        try await live.operator_.set("upd_rollback", to: "true", of: LiveModule.path)
        let refused = try await live.wait(.failed, version: first)
        #expect(refused?.error?.contains("no program that was proved") == true)
        try await live.end()
    }

    @Test func wrongProgramsAreRefusedWithAReason() async throws {
        let live = try await LiveModule()
        try live.start()
        #expect(try await live.wait(.idle, version: first) != nil)
        #expect(try await live.write(second, project: "gina").status == .programmingFailed)
        #expect(try await live.wait(.failed, version: first)?.error?.contains("'gina'") == true)
        #expect(try await live.write(second, chip: .esp32c3).status == .programmingFailed)
        var damaged = LiveModule.program(second)
        damaged[5000] ^= 1
        let result = try await live.operator_.write(ArraySource(damaged), to: 1, of: LiveModule.path) { _ in }
        #expect(result.status == .checksumMismatch)
        #expect(try await live.write(second).status == .completed)
        #expect(try await live.wait(.confirmed, version: second) != nil)
        try await live.end()
    }

    @Test(arguments: [257, 65536]) func blocksAreStoredAndSurviveARestart(ring: Int) async throws {
        let live = try await LiveModule()
        try live.start(ring: ring)
        #expect(try await live.wait(.idle, version: first) != nil)
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let result = try await live.operator_.write(ArraySource(bytes), to: 14, of: LiveModule.path) { _ in }
        #expect(result.status == .completed)
        try await live.operator_.set("reboot", to: "true", of: LiveModule.path)
        try await waitUntil { live.log.filter { $0.contains("connected to") }.count > 1 }
        try await live.switchOff()
        let flash = try ESPFlash(live.folder.flashCopy(), .esp32)
        #expect(try FlashPersistentStore(flash.blocks).read(14) == bytes)
        try await live.end()
    }

    @Test func settingsOfAnOperatorShowInTheExportedSignals() async throws {
        let live = try await LiveModule()
        try live.start(.linux)
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        try await live.operator_.takeAllBlocks(of: LiveModule.path)
        try await live.operator_.set("set_led", to: "true", of: LiveModule.path)
        try await live.operator_.set("set_brightness", to: "40", of: LiveModule.path)
        var values: [String: SignalValue] = [:]
        for _ in 0..<100 {
            for signal in try await live.operator_.signals(of: LiveModule.path) { values[signal.name] = signal.value }
            if values["led"] == .bool(true), values["brightness"] == .integer(40) { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(values["led"] == .bool(true))
        #expect(values["brightness"] == .integer(40))
        #expect(values["si_os"] == .text("linux"))
        // A device that cannot install does not announce it.
        #expect(values["upd_state"] == nil)
        #expect(try await live.write(second).status == .notSupported)
        try await live.end()
    }

    private func waitUntil(_ condition: () -> Bool) async throws {
        for _ in 0..<500 where !condition() { try await Task.sleep(for: .milliseconds(20)) }
        #expect(condition())
    }
}
