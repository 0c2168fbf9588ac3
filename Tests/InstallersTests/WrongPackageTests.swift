import DeviceStorage
import IOCOM
import Installers
import Programs
import Testing
import UpdateTesting

@Suite struct WrongPackageTests {
    /// Tries to install and gives the error; checks that nothing of value changed.
    private func refusal(_ package: [UInt8], on module: Module) throws -> InstallError? {
        let installer = try module.start().installer
        _ = module.touched.take()
        do throws(InstallError) {
            try Module.install(package, with: installer)
            return nil
        } catch {
            #expect(module.touchedOutside(of: installer.targetSlot) == [])
            #expect(try module.start().boot.image.application.version == "1")
            return error
        }
    }

    @Test func `Packages that can be told by their beginning do not touch even the other slot`() throws {
        let module = try Module()
        _ = try module.start()
        let good = Module.program("2")
        var noDigest = good
        noDigest[23] = 0
        let packages: [(String, [UInt8], StreamStatus)] = [
            ("empty", [], .programmingFailed),
            ("text", Array("This is no program.\n".utf8), .programmingFailed),
            ("other chip", Module.program("2", chip: .esp32c3), .programmingFailed),
            ("other application", Module.program("2", project: "gina"), .programmingFailed),
            ("no digest", noDigest, .programmingFailed),
            ("header only", Array(good.prefix(24)), .checksumMismatch),
            ("no descriptor", Array(good.prefix(319)), .checksumMismatch),
        ]
        let counts = module.chip.counts
        for (name, package, status) in packages {
            let error = try refusal(package, on: module)
            #expect(error?.status == status, "\(name): \(String(describing: error))")
            #expect(module.chip.counts == counts, "\(name)")
        }
    }

    @Test func `A truncated program is refused wherever it ends`() throws {
        let module = try Module()
        let good = Module.program("2")
        var lengths = Array(0..<400) + stride(from: 400, to: good.count, by: 177)
        lengths += (good.count - 60)..<good.count
        for length in lengths {
            let error = try refusal(Array(good.prefix(length)), on: module)
            #expect(error?.status == (length == 0 ? .programmingFailed : .checksumMismatch), "\(length) bytes")
        }
    }

    @Test func `A program with one flipped bit is refused, in 1,000 places`() throws {
        let module = try Module()
        let good = Module.program("2", size: 6000)
        var random = SeededGenerator(seed: 20)
        var refused = 0
        for _ in 0..<1000 {
            var wrong = good
            let bit = Int.random(in: 0..<good.count * 8, using: &random)
            wrong[bit / 8] ^= 1 << (bit % 8)
            let error = try refusal(wrong, on: module)
            #expect(error != nil, "bit \(bit)")
            if error != nil { refused += 1 }
        }
        #expect(refused == 1000)
        #expect(try refusal(good, on: module) == nil)
    }

    @Test func `A program that is larger than the slot is refused at its header`() throws {
        let module = try Module()
        let large = Module.program("2", size: module.flash.slots[1].size)
        let error = try refusal(large, on: module)
        #expect(error?.status == .discFull)
        #expect(try refusal(Module.program("2") + [0], on: module)?.status == .checksumMismatch)
    }

    @Test func `A cancelled program does not look like one that can boot`() throws {
        let module = try Module()
        let installer = try module.start().installer
        try Module.feed(Module.program("2"), to: installer)
        installer.cancel()
        #expect(throws: InstallError.self) { try installer.finish() }
        #expect(throws: InstallError.self) { try installer.append([1]) }
        #expect(throws: InstallError.self) { try installer.readImage(slot: 1) }
        try Module.install(Module.program("3"), with: installer)
        #expect(try module.start().boot.image.application.version == "3")
    }

    @Test func `A flash that does not keep what is written is noticed before the switch`() throws {
        let module = try Module()
        let (boot, installer) = try module.start()
        #expect(boot.slot == 0)
        let slot = module.flash.slots[1].offset
        let otaData = try module.flash.otaData.bytes(at: 0, count: 8192)
        module.observed.observe { operation, chip throws(FlashError) in
            if case .program(let offset, _) = operation, offset == slot + 8192 {
                try chip.write(at: offset + 9, [0])
            }
        }
        let error = #expect(throws: InstallError.self) {
            try Module.install(Module.program("2"), with: installer)
        }
        #expect(error?.status == .programmingFailed)
        #expect(try module.flash.otaData.bytes(at: 0, count: 8192) == otaData)
    }
}
