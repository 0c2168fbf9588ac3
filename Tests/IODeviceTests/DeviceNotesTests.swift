import DeviceStorage
import Testing

@testable import IODevice

@Suite struct DeviceNotesTests {
    private func store() throws -> FlashPersistentStore {
        try FlashPersistentStore(FlashRegion(NORFlash(size: 64 * 4096), offset: 0, size: 64 * 4096))
    }

    @Test func `A factory reset leaves the program's notes and nothing else`() throws {
        let store = try store()
        for block in [2, 4, 9, 11, 14, 20, 200, 201] { try store.write(block, [1]) }
        var notes = DeviceNotes()
        notes.commands = ["factory_rst"]
        notes.wipe = .factory
        try notes.save(in: store)
        var read = try DeviceNotes(in: store)
        #expect(read == notes)
        try read.finishWipe(in: store)
        #expect(try store.blocks() == [200, 202])
        #expect(try DeviceNotes(in: store).wipe == nil)
        #expect(try DeviceNotes(in: store).commands == ["factory_rst"])
    }

    @Test func `Forgetting takes the secret and the trusted certificates`() throws {
        let store = try store()
        for block in [2, 4, 9, 11, 14] { try store.write(block, [1]) }
        var notes = DeviceNotes()
        notes.wipe = .forget
        try notes.finishWipe(in: store)
        #expect(try store.blocks() == [2, 11, 14, 202])
    }

    @Test func `A command acts when it rises`() {
        var watch = CommandWatch(["reboot"])
        #expect(watch.risen(now: 0) { _ in false } == [])
        #expect(watch.risen(now: 1) { _ in true } == ["reboot"])
        #expect(watch.risen(now: 2) { _ in true } == [])
        #expect(watch.risen(now: 3) { _ in false } == [])
        #expect(watch.risen(now: 4) { _ in true } == ["reboot"])
    }

    @Test func `A command that led to the restart does not act again because a controller still has it`() {
        var watch = CommandWatch(["reboot", "forget_it"], obeyed: ["reboot"])
        // A server forwards nothing first, and then what the controller kept.
        #expect(watch.risen(now: 100) { _ in false } == [])
        #expect(watch.risen(now: 300) { _ in true } == ["forget_it"])
        // It stays set for a long time, also across a lost connection.
        #expect(watch.risen(now: 100_000) { _ in true } == [])
        #expect(watch.risen(now: 100_100) { _ in false } == [])
        #expect(watch.risen(now: 100_200) { _ in true } == ["reboot", "forget_it"])
    }

    @Test func `A configuration has its time and is decided about once`() {
        var proof = ConfigurationProof(limit: 1000, now: 50)
        #expect(proof.handle(.time, now: 1049) == nil)
        #expect(proof.handle(.time, now: 1050) == .failed)
        #expect(proof.handle(.connected, now: 1051) == nil)
        proof = ConfigurationProof(limit: 1000, now: 50)
        #expect(proof.handle(.connected, now: 60) == .proved)
        #expect(proof.handle(.time, now: 5000) == nil)
    }
}
