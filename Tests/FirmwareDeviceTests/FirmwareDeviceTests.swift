import ByteTools
import Crypto
import DeviceStorage
import FirmwareImages
import FirmwareStorage
import IOCOM
import IOCOMTestSupport
import Programs
import Testing
import UpdateTesting

@testable import FirmwareDevice

@Suite("The device in firmware") struct FirmwareDeviceTests {
    static let old = "261126-1000"
    static let new = "261126-1200"

    /// A device that is connected; `keys` is what the factory wrote for packages.
    static func connected(keys: [UInt8]? = nil) throws -> FirmwareMachine {
        let flash = try FirmwareMachine.provisioned(FirmwareMachine.image(old))
        if let keys {
            var log = try BlockLog(FirmwareMachine.areas(flash).blocks)
            try log.begin(BlockRules.packageKeys)
            try log.append(keys.span.bytes)
            try log.commit()
        }
        let machine = try FirmwareMachine(flash)
        try machine.run { machine.phase == .idle && machine.version == old && machine.block("conf_imp") != nil }
        return machine
    }

    @Test("an update over the line restarts into the new program, which proves itself by its connection")
    func update() throws {
        let machine = try Self.connected()
        let status = try machine.write(1, FirmwareMachine.image(Self.new))
        #expect(status == .completed)
        try machine.run { machine.phase == .confirmed && machine.version == Self.new }
        #expect(machine.previous == Self.old)
        #expect(machine.starts == 1)
        // And back, for an operator.
        try machine.run { machine.block("imp") != nil }
        try machine.set(DeviceLayout.Imp.updRollback, 1)
        try machine.run { machine.phase == .rolledBack && machine.version == Self.old }
        #expect(machine.error == "an operator asked for it")
        // What was set before the restart is not obeyed again.
        let starts = machine.starts
        for _ in 0..<500 { _ = try machine.step() }
        #expect(machine.starts == starts)
    }

    @Test("a program that fails its self-test, or is reset before it proved itself, is taken back")
    func trial() throws {
        let machine = try Self.connected()
        #expect(try machine.write(1, FirmwareMachine.image(Self.new)) == .completed)
        try machine.run(selfTest: false) { machine.phase == .rolledBack && machine.version == Self.old }
        #expect(machine.error == "the self-test of the new program failed")
        // The next one hangs, and the watchdog resets the machine.
        #expect(try machine.write(1, FirmwareMachine.image(Self.new)) == .completed)
        while try !machine.step() {}
        #expect(try FirmwareMachine.boot(machine.flash).isOnTrial)
        try machine.reset(cause: .watchdog)
        try machine.run { machine.phase == .rolledBack && machine.version == Self.old }
        #expect(machine.error == "the new program stopped answering the watchdog")
    }

    @Test("a program on trial that never reaches its server is given up after a minute")
    func neverConnects() throws {
        let machine = try Self.connected()
        #expect(try machine.write(1, FirmwareMachine.image(Self.new)) == .completed)
        machine.lineIsCut = true
        while try !machine.step() {}
        try machine.reset()
        let start = machine.now
        while try !machine.step() {}
        #expect((60_000...65_000).contains(machine.now - start))
        machine.lineIsCut = false
        try machine.reset()
        try machine.run { machine.phase == .rolledBack && machine.version == Self.old }
    }

    @Test("persistent blocks are written and read back, secrets are not")
    func blocks() throws {
        let machine = try Self.connected()
        for size in [0, 1, 256, 257, 1024] {
            let value = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 3) }
            #expect(try machine.write(14, value) == .completed)
            #expect(try machine.read(14) == value)
        }
        #expect(try machine.read(2) == Array("network configuration".utf8))
        for block in [0, 3, 4, 5, 7, 100] { #expect(try machine.write(block, [1]) == .noAccess) }
        for block in [1, 4, 5, 7, 15, 210] { #expect(try machine.read(block) == nil) }
        #expect(try machine.write(14, [UInt8](repeating: 1, count: 20_000)) == .discFull)
        #expect(try machine.read(14)?.count == 1024)
    }

    @Test("wrong and damaged programs are refused, and the running one stays")
    func refused() throws {
        let machine = try Self.connected()
        #expect(try machine.write(1, FirmwareMachine.image(Self.new, hardware: "other")) == .programmingFailed)
        #expect(machine.error == "the program is for other hardware")
        #expect(try machine.write(1, FirmwareMachine.image(Self.new, data: 17_000)) == .discFull)
        var damaged = try FirmwareMachine.image(Self.new)
        damaged[1000] ^= 1
        #expect(try machine.write(1, damaged) == .checksumMismatch)
        #expect(try machine.write(1, [UInt8](repeating: 0, count: 5000)) == .programmingFailed)
        #expect(try machine.write(1, Array(FirmwareMachine.image(Self.new).dropLast(8))) == .checksumMismatch)
        try machine.run { machine.phase == .failed }
        try machine.reset()
        try machine.run { machine.phase == .idle && machine.version == Self.old }
        #expect(try machine.write(1, FirmwareMachine.image(Self.new)) == .completed)
        try machine.run { machine.phase == .confirmed && machine.version == Self.new }
    }

    @Test("a device with keys takes signed packages only, and only the one that was signed")
    func signed() throws {
        let (mine, other) = (SigningKey.generate(), SigningKey.generate())
        let machine = try Self.connected(keys: mine.trusted.deviceForm)
        let image = try FirmwareMachine.image(Self.new)
        func manifest(_ key: SigningKey, _ version: String, _ package: [UInt8]) throws -> [UInt8] {
            let name = try PackageName(parsing: "iocafe-blink-\(version)-riscv32-virt.bin")
            let manifest = PackageManifest(name, size: package.count, sha256: Array(SHA256.hash(data: package)))
            return Array(try key.sign(manifest, comment: "test").text.utf8)
        }
        #expect(try machine.write(1, image) == .notAuthorized)
        #expect(machine.error.contains("signed packages only"))
        #expect(try machine.write(13, manifest(other, Self.new, image)) == .completed)
        #expect(try machine.write(1, image) == .notAuthorized)
        #expect(machine.error.contains("does not trust"))
        #expect(try machine.write(13, manifest(mine, "261126-0900", image)) == .completed)
        #expect(try machine.write(1, image) == .notAuthorized)
        #expect(machine.error.contains("older"))
        #expect(try machine.write(13, manifest(mine, Self.new, image)) == .completed)
        #expect(try machine.write(1, FirmwareMachine.image(Self.new, data: 2992)) == .notAuthorized)
        #expect(machine.error == "the package is not the one that was signed")
        #expect(try machine.write(1, image) == .completed)
        try machine.run { machine.phase == .confirmed && machine.version == Self.new }
    }

    @Test("keys that can't be read, or are none, let no package through", arguments: [0, 39, 41, 200])
    func unusableKeys(size: Int) throws {
        let machine = try Self.connected(keys: [UInt8](repeating: 0, count: size))
        #expect(try machine.write(1, FirmwareMachine.image(Self.new)) == .notAuthorized)
        #expect(machine.error.contains("keys of this device can't be read"))
    }

    @Test("a package that is not the one that was signed is never whole in the flash")
    func unfinished() throws {
        let key = SigningKey.generate()
        let machine = try Self.connected(keys: key.trusted.deviceForm)
        // As large as some whole pieces that are written.
        let short = try FirmwareMachine.image(Self.new)
        let image = try FirmwareMachine.image(Self.new, data: 3000 + 4096 - short.count)
        try #require(image.count == 4096)
        let name = try PackageName(parsing: "iocafe-blink-\(Self.new)-riscv32-virt.bin")
        let manifest = PackageManifest(
            name, size: image.count, sha256: Array(SHA256.hash(data: [1])))
        #expect(try machine.write(13, Array(key.sign(manifest, comment: "test").text.utf8)) == .completed)
        #expect(try machine.write(1, image) == .notAuthorized)
        let areas = try FirmwareMachine.areas(machine.flash)
        #expect(areas.slots.1.imageDigest(for: FirmwareMachine.target) == nil)
    }

    @Test("a device whose boot loader could not write down what it started changes nothing")
    func wrongRecords() throws {
        let machine = try Self.connected()
        #expect(try machine.write(1, FirmwareMachine.image(Self.new)) == .completed)
        while try !machine.step() {}
        // The new program has its trial and hangs; that it was left can't be written.
        #expect(try FirmwareMachine.boot(machine.flash).isOnTrial)
        let records = try SlotRecords(FirmwareMachine.areas(machine.flash).records).choice
        try machine.reset(into: 0)
        try machine.run { machine.phase == .failed && machine.version == Self.old }
        #expect(machine.error.contains("does not say rightly which program runs"))
        for _ in 0..<500 { _ = try machine.step() }
        #expect(try machine.write(1, FirmwareMachine.image(Self.new)) == .programmingFailed)
        #expect(try SlotRecords(FirmwareMachine.areas(machine.flash).records).choice == records)
        // The next start can.
        try machine.reset()
        try machine.run { machine.phase == .rolledBack && machine.version == Self.old }
    }

    @Test("a command that is set while the line is broken is obeyed when it is back")
    func commandOverBreak() throws {
        let machine = try Self.connected()
        #expect(try machine.write(1, FirmwareMachine.image(Self.new)) == .completed)
        try machine.run { machine.phase == .confirmed && machine.block("imp") != nil }
        for _ in 0..<100 { _ = try machine.step() }
        machine.lineIsCut = true
        for _ in 0..<60 { _ = try machine.step() }
        try machine.set(DeviceLayout.Imp.updRollback, 1)
        machine.lineIsCut = false
        try machine.run { machine.phase == .rolledBack && machine.version == Self.old }
    }

    @Test("a device that was never let in does not say that it goes on")
    func firstLogin() throws {
        let machine = try FirmwareMachine(FirmwareMachine.provisioned(FirmwareMachine.image(Self.old)))
        machine.lineIsCut = true
        for _ in 0..<100 { _ = try machine.step() }
        machine.lineIsCut = false
        try machine.run { machine.version == Self.old }
        #expect(machine.server.peer?.flags.contains(.continues) == false)
        machine.lineIsCut = true
        for _ in 0..<60 { _ = try machine.step() }
        machine.lineIsCut = false
        try machine.run { machine.server.peer?.flags.contains(.continues) == true }
    }

    @Test("a transfer goes on when the line was cut for less than the time that blocks are held")
    func interruption() throws {
        let machine = try Self.connected()
        var cuts = 0
        let image = try FirmwareMachine.image(Self.new)
        let status = try machine.write(1, image) { offered in
            guard offered > image.count / 3 * (cuts + 1) else { return }
            cuts += 1
            machine.lineIsCut = true
            for _ in 0..<60 { _ = try? machine.step() }
            machine.lineIsCut = false
        }
        #expect(status == .completed)
        #expect(cuts >= 2)
        try machine.run { machine.phase == .confirmed && machine.version == Self.new }
    }

    @Test("a power cut at any flash operation of an update leaves one of the two programs, and its configuration")
    func powerCuts() throws {
        let (old, new) = (try FirmwareMachine.image(Self.old), try FirmwareMachine.image(Self.new))
        let oldHash = Array(old.suffix(32))
        let newHash = Array(new.suffix(32))
        let machine = try Self.connected()
        nonisolated(unsafe) var random = SeededGenerator(seed: 7)
        nonisolated(unsafe) var failures: [String] = []
        nonisolated(unsafe) var counts: (cuts: Int, old: Int, new: Int) = (0, 0, 0)
        machine.flash.observe { operation, flash throws(FlashError) in
            for cut in PowerCut.allCases {
                let left = try cut.remains(of: operation, on: flash, random: &random)
                counts.cuts += 1
                do {
                    // Twice: the start itself writes.
                    let plan = try FirmwareMachine.boot(left)
                    let again = try FirmwareMachine.boot(left)
                    if plan.slot == again.slot && plan.isOnTrial {
                        failures.append("\(cut) \(operation.offset): tried twice")
                    }
                    let areas = try FirmwareMachine.areas(left)
                    let running = (again.slot == 0 ? areas.slots.0 : areas.slots.1).imageDigest(
                        for: FirmwareMachine.target)?.bytes
                    if running == oldHash {
                        counts.old += 1
                    } else if running == newHash {
                        counts.new += 1
                    } else {
                        failures.append("\(cut) \(operation.offset): another program")
                    }
                    let log = try BlockLog(areas.blocks)
                    guard var value = try log.value(2) else {
                        failures.append("\(cut) \(operation.offset): block 2 is gone")
                        continue
                    }
                    var bytes = [UInt8](repeating: 0, count: 100)
                    let count = try bytes.withUnsafeMutableBytes { try log.read(&value, into: $0) }
                    if bytes[..<count] != Array("network configuration".utf8)[...] {
                        failures.append("\(cut) \(operation.offset): block 2 changed")
                    }
                } catch { failures.append("\(cut) \(operation.offset): \(error)") }
            }
        }
        #expect(try machine.write(1, new) == .completed)
        try machine.run { machine.phase == .confirmed }
        try machine.run { machine.block("imp") != nil }
        try machine.set(DeviceLayout.Imp.updRollback, 1)
        try machine.run { machine.phase == .rolledBack && machine.version == Self.old }
        machine.flash.observe(nil)
        #expect(failures.isEmpty, "\(failures.prefix(5))")
        #expect(counts.cuts > 80 && counts.old > 0 && counts.new > 0)
        print("firmware: \(counts.cuts) power cuts, \(counts.old) start the old program, \(counts.new) the new one")
    }
}
