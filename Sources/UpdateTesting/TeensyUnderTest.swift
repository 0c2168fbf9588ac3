import DeviceStorage
import FirmwareStorage
public import Installers
public import Programs
import Synchronization

/// Teensy 4 boards: hex files, the boot stage and its three areas.
public struct TeensyUnderTest: InstallerUnderTest {
    let layout: TeensyLayout
    private let application: String
    private let pageSize: Int
    /// The boards differ in nothing that a cut could show.
    public let isCutByOperation: Bool

    /// Boards with room for programs of `programSize` bytes, a multiple of 4 KiB, so that the emulated flash is small. Page
    /// programs of `pageSize` bytes are the operations; 256 is what chips do, which makes sixteen times as many cuts.
    public init(
        _ board: TeensyBoard = .teensy41, application: String = "candy", programSize: Int = 32 << 10,
        pageSize: Int = 4096, isCut: Bool = true
    ) {
        isCutByOperation = isCut
        let small = TeensyBoard(name: board.name, flashSize: board.flashSize, programSize: programSize)
        let blocks = 16 * NORFlash.sectorSize
        layout = TeensyLayout(
            board: small,
            flashSize: TeensyBoard.bootStageSize + 3 * programSize + blocks + 3 * NORFlash.sectorSize,
            reserved: NORFlash.sectorSize, blocksSize: blocks)
        self.application = application
        self.pageSize = pageSize
    }

    /// The board.
    public var description: String { layout.board.name }

    /// Up to the reset vector it is all header.
    public var programSize: Int { 6000 }

    private func builder(_ version: String, size: Int) -> TeensyImageBuilder {
        var builder = TeensyImageBuilder(layout.board, application: application, version: version)
        var random = SeededGenerator(seed: UInt64(size))
        builder.data = random.bytes(max(16, size - 0x1200))
        return builder
    }

    /// A hex file.
    public func package(_ version: String, size: Int, behaviour: ProgramBehaviour) throws -> TestPackage {
        var builder = builder(version, size: size)
        if behaviour != ProgramBehaviour() { builder.record = behaviour.record }
        let program = try builder.build()
        return TestPackage(version: version, bytes: TeensyImageBuilder.hex(program), program: program)
    }

    /// For the other board, another application, another address; the raw bytes; a program that no hex file of ours is.
    public func wrongPackages() throws -> [(name: String, bytes: [UInt8])] {
        let good = builder("260102-0000", size: programSize)
        var other = good
        other.board = layout.board.name == "teensy40" ? .teensy41 : .teensy40
        var named = good
        named.board = TeensyBoard(
            name: layout.board.name, flashSize: other.board.flashSize, programSize: layout.board.programSize)
        var elsewhere = good
        elsewhere.loadAddress = TeensyBoard.flashAddress
        var stranger = good
        stranger.application = "gina"
        var stock = try good.build()
        stock.replaceSubrange(0x200..<0x280, with: [UInt8](repeating: 0xFF, count: 0x80))
        var headless = try good.build()
        headless.replaceSubrange(0x1000..<0x1020, with: [UInt8](repeating: 0, count: 0x20))
        return [
            ("other board", try other.buildHex()), ("header of the other board", try named.buildHex()),
            ("linked for the start of the flash", try elsewhere.buildHex()),
            ("other application", try stranger.buildHex()),
            ("without descriptor", TeensyImageBuilder.hex(stock)),
            ("without vector table", TeensyImageBuilder.hex(headless)), ("not as hex", try good.build()),
            ("text", Array("This is no program.\n".utf8)), ("nothing", []),
        ]
    }

    /// Larger than its area.
    public func tooLargePackage() throws -> [UInt8]? {
        try builder("260102-0000", size: layout.board.programSize + 0x2000).buildHex()
    }

    /// Another digit: a flipped bit may only change the case of one.
    public func damaged(_ package: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var wrong = package
        while wrong == package {
            let place = Int.random(in: 0..<package.count, using: &random)
            guard package[place] > 0x20, package[place] != UInt8(ascii: ":") else { continue }
            wrong[place] = Array("0123456789ABCDEF".utf8)[Int.random(in: 0..<16, using: &random)]
        }
        return wrong
    }

    /// A flash with boot stage, program and values.
    public func device(running program: TestPackage) throws -> any DeviceUnderTest {
        let flash = try NORFlash(size: layout.flashSize)
        // What is reserved is somebody else's.
        try flash.write(at: layout.flashSize - layout.reserved, Array("recovery".utf8))
        let parts = try TeensyFlash.provision(flash, layout, program: program.program)
        try TestSettings.store(in: FlashPersistentStore(parts.blocks))
        return device(flash)
    }

    /// A device around a flash that was provisioned.
    func device(_ flash: NORFlash) -> TeensyDevice { TeensyDevice(layout, flash, pageSize: pageSize) }
}

/// An emulated board on one flash.
final class TeensyDevice: DeviceUnderTest {
    private let layout: TeensyLayout
    private let pageSize: Int
    private let flash: ObservedFlash
    private let state = Mutex<(TeensyBootStage.Boot, TeensyInstaller)?>(nil)

    init(_ layout: TeensyLayout, _ flash: NORFlash, pageSize: Int) {
        self.layout = layout
        self.pageSize = pageSize
        self.flash = ObservedFlash(flash, pageSize: pageSize)
    }

    func observe(_ observer: DeviceObserver?) {
        guard let observer else { return flash.observe(nil) }
        let (layout, pageSize) = (layout, pageSize)
        flash.observe { operation, flash in
            observer(
                NORDeviceOperation(operation, on: flash) { operation, phase in
                    switch (phase, operation.offset) {
                    // Writing ends where the records are touched; what the boot stage copies belongs to the switch.
                    case (.write, layout.records...): .select
                    case (.confirm, layout.active..<layout.downloaded), (.confirm, layout.backup..<layout.blocks):
                        .select
                    default: phase
                    }
                } device: {
                    TeensyDevice(layout, $0, pageSize: pageSize)
                })
        }
    }

    func start() throws -> StartedProgram {
        state.withLock { $0 = nil }
        let parts = try TeensyFlash(flash, layout)
        let boot = try TeensyBootStage(parts).boot()
        let installer = try TeensyInstaller(parts, running: boot)
        state.withLock { $0 = (boot, installer) }
        return StartedProgram(behaviour: boot.behaviour, isOnTrial: boot.isOnTrial)
    }

    private func running() throws -> (boot: TeensyBootStage.Boot, installer: TeensyInstaller) {
        guard let running = state.withLock({ $0 }) else { throw ContractBreach("the device is off") }
        return running
    }

    var installer: any ProgramInstaller { get throws { try running().installer } }

    func confirm() throws { try running().installer.confirm() }

    func giveUp() throws { try running().installer.giveUp(true) }

    func runs(_ package: TestPackage) throws -> Bool {
        let boot = try running().boot
        return try boot.image.version == package.version
            && flash.read(at: layout.active, count: package.program.count) == package.program
    }

    /// Nothing is left to do, and the records stand for the program that runs.
    func checkRecords() throws {
        let running = try running()
        let areas = running.installer.areas
        guard areas.task == .none, areas.active.status == .valid else {
            throw ContractBreach(
                "the program that stays is in state \(areas.active.status), \(areas.task) is left to do")
        }
        guard areas.active.digest.bytes == running.boot.image.digest else {
            throw ContractBreach("the records stand for another program")
        }
    }

    func checkSettings() throws {
        try TestSettings.check(FlashPersistentStore(TeensyFlash(flash, layout).blocks))
        guard try flash.read(at: layout.flashSize - layout.reserved, count: 8) == Array("recovery".utf8) else {
            throw ContractBreach("what is reserved was touched")
        }
    }
}
