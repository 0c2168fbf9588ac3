import ByteTools
import DeviceStorage
import IOCOM
import Installers
import Programs
import Testing
import UpdateTesting

@Suite struct TeensyFlashTests {
    @Test(arguments: TeensyLayout.all.map(\.board.name))
    func `The areas of the boards lie between boot stage and what is reserved`(name: String) throws {
        let layout = try #require(TeensyLayout.named(name))
        #expect(layout.fits && layout.active == 0x10000 && layout.flashSize == layout.board.flashSize)
        let end = layout.records + 2 * NORFlash.sectorSize
        #expect(end == layout.flashSize - layout.reserved)
        // cores/teensy4/eeprom.c: FLASH_BASEADDR of the two boards.
        #expect(end == (name == "teensy41" ? 0x7C_0000 : 0x1F_0000))
    }

    @Test func `A flash without a boot stage, or with that of another board, is refused`() throws {
        let layout = TeensyLayout.teensy40
        let chip = try NORFlash(size: layout.flashSize)
        #expect(throws: TeensyFlashError.empty) { try TeensyFlash(chip, layout) }
        #expect(throws: TeensyFlashError.size(found: 2 << 20, expected: 8 << 20)) { try TeensyFlash(chip, .teensy41) }
        try chip.write(at: 0, TeensyImageBuilder.configuration(.teensy41))
        #expect(throws: TeensyFlashError.otherBoard) { try TeensyFlash(chip, layout) }
        let other = try TeensyImageBuilder(.teensy41, application: "candy", version: "260101-0000").build()
        #expect(throws: TeensyFlashError.self) { try TeensyFlash.provision(chip, layout, program: other) }
    }

    /// The areas of a board with room for programs of 32 KiB.
    private static let small = TeensyLayout(
        board: TeensyBoard(name: "teensy41", flashSize: 8 << 20, programSize: 32 << 10),
        flashSize: 0x10000 + 3 * (32 << 10) + 19 * 4096, reserved: 4096, blocksSize: 16 * 4096)

    @Test func `A flash that fails says why, and the program that proved itself starts all the same`() throws {
        let builder = TeensyImageBuilder(Self.small.board, application: "candy", version: "260101-0000")
        let chip = ObservedFlash(try NORFlash(size: Self.small.flashSize))
        let flash = try TeensyFlash.provision(chip, Self.small, program: builder.build())
        let boot = try TeensyBootStage(flash).boot()
        let installer = try TeensyInstaller(flash, running: boot)
        var next = builder
        next.version = "260102-0000"
        let package = try next.buildHex()
        let full = "no space is left on the disk"
        let records = Self.small.records
        func fails(_ isOn: Bool) {
            chip.observe { operation, _ throws(FlashError) in
                if isOn, operation.offset >= records { throw .device(StorageFailure(full)) }
            }
        }
        func install() throws(InstallError) {
            try installer.start()
            try installer.append(package)
            _ = try installer.finish()
        }
        fails(true)
        var error = #expect(throws: InstallError.self) { try install() }
        #expect(error?.description.contains(full) == true, "\(String(describing: error))")
        fails(false)
        try install()
        // The next start has a copy to make, and can't write it down.
        fails(true)
        let again = try TeensyBootStage(TeensyFlash(chip, Self.small)).boot()
        #expect(again.image.version == "260101-0000" && !again.isOnTrial)
        #expect(again.notes.count == 1 && again.notes[0].contains(full), "\(again.notes)")
        fails(false)
        let mended = try TeensyFlash(chip, Self.small)
        let trial = try TeensyBootStage(mended).boot()
        #expect(trial.image.version == "260102-0000" && trial.isOnTrial && trial.notes.isEmpty)
        let running = try TeensyInstaller(mended, running: trial)
        fails(true)
        error = #expect(throws: InstallError.self) { try running.confirm() }
        #expect(error?.description.contains(full) == true)
        fails(false)
        try running.confirm()
        fails(true)
        error = #expect(throws: InstallError.self) { try running.giveUp(true) }
        #expect(error?.description.contains(full) == true)
    }

    @Test func `Records in any order are installed, and a hex file that says a byte twice is not`() throws {
        let target = TeensyUnderTest()
        let device = try target.device(running: target.package("260101-0000"))
        _ = try device.start()
        let next = try target.package("260102-0000")
        var lines = String(decoding: next.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        let twice = lines[0...20] + [lines[20]] + lines[21...]
        let error = #expect(throws: InstallError.self) { try device.install(Array(twice.joined(separator: "\n").utf8)) }
        #expect(error?.description.contains("line 22") == true && error?.status == .programmingFailed)
        // The base stands first, start and end last.
        lines.replaceSubrange(1..<lines.count - 2, with: lines[1..<lines.count - 2].reversed())
        try device.install(Array(lines.joined(separator: "\r\n").utf8))
        let started = try device.start()
        let runs = try device.runs(next)
        #expect(runs && started.isOnTrial)
    }
}
