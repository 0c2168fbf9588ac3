import ByteTools
import DeviceStorage
import Testing
import UpdateTesting

@testable import IODevice

/// A change of a device's configuration, with power cuts at every operation of the flash.
@Suite struct ConfigurationCourseTests {
    private static let old = ConfigurationContents(network: Array("old configuration".utf8), settings: nil)
    private static let new = ConfigurationContents(
        network: Array("new configuration".utf8), settings: [UInt8](repeating: 0x41, count: 224))

    private final class Medium: Sendable {
        let flash: ObservedFlash

        init(_ flash: NORFlash) { self.flash = ObservedFlash(flash) }

        func open() throws -> FlashPersistentStore {
            try FlashPersistentStore(FlashRegion(flash, offset: 0, size: flash.size))
        }
    }

    private func medium() throws -> Medium {
        let medium = Medium(try NORFlash(size: 16 * NORFlash.sectorSize))
        let store = try medium.open()
        if let network = Self.old.network { try store.write(PersistentBlock.configuration, network) }
        return medium
    }

    /// Starts the device as often as it restarts by itself; `reaches` tells which configurations find their server.
    private func settle(_ medium: Medium, reaches: (ConfigurationContents) -> Bool) throws -> ConfigurationContents {
        for _ in 0..<8 {
            let keeper = ConfigurationKeeper(try medium.open())
            let (contents, isOnTrial) = try keeper.start(programIsOnTrial: false)
            guard isOnTrial else { return contents }
            if reaches(contents) {
                try keeper.proved()
                return contents
            }
            try keeper.failed("no server")
        }
        throw Endless()
    }

    private struct Endless: Error {}

    /// Runs `steps` with a cut tried at each operation of the flash; `check` looks at what is left.
    private func cut(
        _ medium: Medium, _ steps: () throws -> Void, check: @escaping @Sendable (Medium) throws -> Void
    ) throws -> Int {
        let random = Locked(SeededGenerator(seed: 5))
        let count = Locked(0)
        medium.flash.observe { operation, flash throws(FlashError) in
            for moment in PowerCut.allCases {
                let left = try random.with { random throws(FlashError) in
                    try moment.remains(of: operation, on: flash, random: &random)
                }
                do { try check(Medium(left)) } catch {
                    Issue.record("cut \(moment) at \(operation.offset): \(error)")
                }
                count.with { $0 += 1 }
            }
        }
        defer { medium.flash.observe(nil) }
        try steps()
        return count.with { $0 }
    }

    private func store(_ contents: ConfigurationContents, in medium: Medium) throws {
        let store = try medium.open()
        let keeper = ConfigurationKeeper(store)
        _ = try keeper.start(programIsOnTrial: false)
        if let network = contents.network {
            try keeper.change { () throws(PersistentStoreError) in
                try store.write(PersistentBlock.configuration, network)
            }
        }
        if let settings = contents.settings { try keeper.save(settings: settings) }
    }

    /// Both blocks may be changed one after the other: then there is also the first change alone.
    private static let allowedNew = [
        new, ConfigurationContents(network: new.network, settings: nil),
    ]

    @Test func `A cut while a configuration is stored leaves the old one or a new one that proves itself`() throws {
        let medium = try medium()
        let cuts = try cut(medium) {
            try store(Self.new, in: medium)
        } check: { left in
            let contents = try settle(left) { _ in true }
            guard contents == Self.old || Self.allowedNew.contains(contents) else { throw Endless() }
            // What was decided stays.
            guard try settle(left, reaches: { _ in false }) == contents else { throw Endless() }
        }
        #expect(cuts > 20)
        #expect(try settle(medium) { _ in true } == Self.new)
    }

    @Test func `A cut while a configuration that fails is stored or given up ends with the old one`() throws {
        let medium = try medium()
        let isOld: @Sendable (Medium) throws -> Void = { left in
            guard try settle(left, reaches: { _ in false }) == Self.old else { throw Endless() }
            // And nothing goes to and fro: the old one stays although it has no server either.
            let keeper = ConfigurationKeeper(try left.open())
            guard try keeper.start(programIsOnTrial: false) == (Self.old, false) else { throw Endless() }
        }
        #expect(try cut(medium, { try store(Self.new, in: medium) }, check: isOld) > 20)
        let cuts = try cut(medium) {
            let contents = try settle(medium) { _ in false }
            #expect(contents == Self.old)
        } check: {
            try isOld($0)
        }
        #expect(cuts > 20)
        let status = try status(medium)
        #expect(status.state == .putBack)
        #expect(status.reason == "no server")
    }

    @Test func `A cut while a proved configuration is confirmed leaves it`() throws {
        let medium = try medium()
        try store(Self.new, in: medium)
        let keeper = ConfigurationKeeper(try medium.open())
        #expect(try keeper.start(programIsOnTrial: false) == (Self.new, true))
        _ = try cut(medium, { try keeper.proved() }) { left in
            guard try settle(left, reaches: { $0 == Self.new }) == Self.new else { throw Endless() }
        }
        #expect(try status(medium).state == .inForce)
    }

    @Test func `A cut while an operator goes back ends with one of both, and that one is known`() throws {
        let medium = try medium()
        try store(Self.new, in: medium)
        #expect(try settle(medium) { _ in true } == Self.new)
        let keeper = ConfigurationKeeper(try medium.open())
        _ = try keeper.start(programIsOnTrial: false)
        let cuts = try cut(medium) {
            let isBack = try keeper.goBack()
            #expect(isBack)
        } check: { left in
            let contents = try settle(left) { _ in true }
            guard contents == Self.old || contents == Self.new else { throw Endless() }
        }
        #expect(cuts > 20)
        #expect(try keeper.status().state == .saved)
        // Gone back to, it has to prove itself again, and the one left is good.
        #expect(try settle(medium) { $0 == Self.new } == Self.new)
    }

    @Test func `A configuration that crashes its device is given up after some starts`() throws {
        let medium = try medium()
        try store(Self.new, in: medium)
        for _ in 0..<ConfigurationCourse.mostStarts {
            #expect(try ConfigurationKeeper(medium.open()).start(programIsOnTrial: false) == (Self.new, true))
        }
        #expect(try ConfigurationKeeper(medium.open()).start(programIsOnTrial: false) == (Self.old, false))
        #expect(try status(medium).reason.contains("never reached its server"))
    }

    @Test func `While a program is on trial the device keeps its last good configuration`() throws {
        let medium = try medium()
        try store(Self.new, in: medium)
        let keeper = ConfigurationKeeper(try medium.open())
        #expect(try keeper.start(programIsOnTrial: true) == (Self.old, false))
        #expect(try keeper.status().state == .saved)
        // The program proves itself or is given up; the configuration's own trial comes with the next start.
        try keeper.proved()
        #expect(try ConfigurationKeeper(medium.open()).start(programIsOnTrial: false) == (Self.new, true))
        // A program that came just then does not end up with the configuration in doubt.
        #expect(try ConfigurationKeeper(medium.open()).start(programIsOnTrial: true) == (Self.old, false))
        #expect(try settle(medium) { _ in false } == Self.old)
    }

    @Test func `A second change before the restart keeps what is known to be good`() throws {
        let medium = try medium()
        try store(Self.new, in: medium)
        let store = try medium.open()
        let keeper = ConfigurationKeeper(store)
        #expect(try keeper.start(programIsOnTrial: false).isOnTrial)
        try keeper.save(settings: [UInt8](repeating: 0, count: 224))
        // The running one proves itself after the newer one was stored.
        try keeper.proved()
        #expect(try keeper.status().state == .saved)
        #expect(try settle(medium) { $0 == Self.new } == Self.new)
    }

    @Test func `The same value again changes nothing, and there is nothing to go back to`() throws {
        let medium = try medium()
        try store(Self.old, in: medium)
        #expect(try status(medium).state == .inForce)
        let keeper = ConfigurationKeeper(try medium.open())
        #expect(try keeper.start(programIsOnTrial: false) == (Self.old, false))
        #expect(try keeper.goBack() == false)
    }

    @Test func `A journal is read as it was written, and nothing else is read`() {
        let journal = ConfigurationJournal(.switching, starts: 2, kept: Self.old, wanted: Self.new, reason: "because")
        let bytes = journal.bytes
        #expect(ConfigurationJournal(bytes) == journal)
        #expect(ConfigurationJournal(ConfigurationJournal().bytes) == ConfigurationJournal())
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1
            #expect(ConfigurationJournal(damaged) == nil)
            #expect(ConfigurationJournal(Array(bytes.prefix(index))) == nil)
        }
    }

    private func status(_ medium: Medium) throws -> (state: ConfigurationState, reason: String) {
        let keeper = ConfigurationKeeper(try medium.open())
        _ = try keeper.start(programIsOnTrial: false)
        return try keeper.status()
    }
}
