import ByteTools
import DeviceStorage
import FirmwareImages
import FirmwareStorage
import FlashControllerModels
public import Installers
import IOCOM
import Programs
import Synchronization

/// Boards with an STM32 of any kind, on the exact model of the part. Flash is of its real geometry, so programs are small.
public struct STM32UnderTest<Board: STM32Board>: InstallerUnderTest {
    let profile: STM32Profile
    let stride: Int

    /// Boards of a kind. Of the words that are programmed every `stride`th is shown to who cuts the power, and every erase and
    /// every change of the option bytes; 1 shows all.
    public init(_ profile: STM32Profile, as kind: Board.Type, stride: Int = 1) {
        self.profile = profile
        self.stride = max(1, stride)
    }

    /// The board.
    public var description: String { profile.name }
    /// Fewer than with others: an erase unit has up to 128 KiB.
    public var samples: Int { 8 }
    /// Enough for several pieces.
    public var programSize: Int { 1200 }

    /// An image with random data.
    public func package(_ version: String, size: Int, behaviour: ProgramBehaviour) throws -> TestPackage {
        try package(version, size: size, behaviour: behaviour, profile: profile, application: "candy")
    }

    private func package(
        _ version: String, size: Int, behaviour: ProgramBehaviour = ProgramBehaviour(), profile: STM32Profile,
        application: String, stackPointer: UInt32? = nil
    ) throws -> TestPackage {
        var random = SeededGenerator(seed: UInt64(size))
        let least = Int(ProgramDescriptor.smallestImage)
        var builder = MicrocontrollerImageBuilder.cortexM(
            application: application, version: version, os: profile.os, hardware: profile.name,
            loadAddress: profile.loadAddress, stackPointer: stackPointer ?? profile.part.ram.upperBound,
            data: random.bytes(max(0, size - least)))
        builder.record = behaviour.record
        return TestPackage(version: version, bytes: try builder.build())
    }

    /// For another part, another application, with a stack outside of the RAM, no image, nothing.
    public func wrongPackages() throws -> [(name: String, bytes: [UInt8])] {
        let other = STM32Profile.all.first { $0 != profile } ?? .f429
        return [
            ("other part", try package("260102-0000", size: 1500, profile: other, application: "candy").bytes),
            ("other application", try package("260102-0000", size: 1500, profile: profile, application: "gina").bytes),
            (
                "stack outside of the RAM",
                try package(
                    "260102-0000", size: 1500, profile: profile, application: "candy", stackPointer: 0x3000_0000
                ).bytes
            ),
            ("ESP32", ESPImageBuilder(chip: .esp32, project: "candy", version: "260102-0000").build()),
            ("text", Array(String(repeating: "This is no program.\n", count: 50).utf8)), ("nothing", []),
        ]
    }

    /// Larger than its place.
    public func tooLargePackage() throws -> [UInt8]? {
        try package("260102-0000", size: profile.capacity + 2000, behaviour: ProgramBehaviour()).bytes
    }

    /// A board from production that was started once and has settings.
    public func device(running program: TestPackage) throws -> any DeviceUnderTest {
        let board = Board(profile, STM32Model(Board.produced(profile, program: program.bytes)))
        _ = try board.start(powerOn: true, cause: .noProof)
        let store = try board.openBlocks()
        for (block, value) in STM32Device<Board>.values { try store.write(block, value) }
        return STM32Device(self, board.model.contents)
    }
}

/// One operation of a flash controller.
struct STM32Operation<Board: STM32Board>: DeviceOperation {
    let target: STM32UnderTest<Board>
    let operation: ControllerOperation
    let contents: FlashContents
    let isChoice: Bool

    var place: String {
        switch operation {
        case .erase(let unit): "erase of unit \(unit)"
        case .eraseBank(let bank): "erase of bank \(bank + 1)"
        case .program(let offset, let bytes): "program of \(bytes.count) bytes at \(hexadecimal(offset))"
        case .options(let value): "option bytes \(hexadecimal(Int(value)))"
        }
    }

    func phase(in phase: PowerCutCampaign.Phase) -> PowerCutCampaign.Phase {
        // Writing ends where records or option bytes are touched.
        phase == .write && isChoice ? .select : phase
    }

    func device(after cut: PowerCut, _ random: inout SeededGenerator) -> any DeviceUnderTest {
        let moment: OperationCut =
            switch cut {
            case .before: .before
            case .tornAt, .scattered: .torn
            case .after: .after
            }
        return STM32Device(target, contents.remains(of: operation, cut: moment, random: &random))
    }
}

/// A board as candy handles it around an update.
final class STM32Device<Board: STM32Board>: DeviceUnderTest {
    private let target: STM32UnderTest<Board>
    private let board: Board
    private let units: [Int]
    private let state = Mutex<(STM32Boot, any ProvingInstaller)?>(nil)

    init(_ target: STM32UnderTest<Board>, _ contents: FlashContents) {
        self.target = target
        board = Board(target.profile, STM32Model(contents))
        units = board.recordUnits
    }

    /// What a board keeps through all updates.
    static var values: [Int: [UInt8]] {
        [2: Array("network configuration".utf8), 14: (0..<900).map { UInt8(truncatingIfNeeded: $0 &* 31) }, 20: []]
    }

    func observe(_ observer: DeviceObserver?) {
        guard let observer else { return board.model.observe(nil) }
        let target = target
        let units = units
        let words = Counter()
        board.model.observe { operation, contents in
            let isChoice: Bool
            switch operation {
            case .erase(let unit): isChoice = units.contains(unit)
            case .eraseBank: isChoice = false
            case .options: isChoice = true
            case .program(let offset, _):
                isChoice = units.contains(contents.place(offset).unit)
                words.add()
                // Of the few words of records more are shown.
                let stride = isChoice ? max(1, target.stride / 4) : target.stride
                guard words.value % stride == 0 else { return }
            }
            observer(STM32Operation(target: target, operation: operation, contents: contents, isChoice: isChoice))
        }
    }

    func start() throws -> StartedProgram {
        state.withLock { $0 = nil }
        let boot = try board.start(powerOn: true, cause: .noProof)
        let installer = try board.provingInstaller(application: "candy")
        state.withLock { $0 = (boot, installer) }
        return StartedProgram(behaviour: boot.behaviour, isOnTrial: boot.isOnTrial)
    }

    private func running() throws -> (boot: STM32Boot, installer: any ProvingInstaller) {
        guard let running = state.withLock({ $0 }) else { throw ContractBreach("the board is off") }
        return running
    }

    var installer: any ProgramInstaller { get throws { try running().installer } }

    func confirm() throws { try running().installer.confirm() }

    func giveUp() throws { try running().installer.markInvalidAndRollBack(.asked) }

    func runs(_ package: TestPackage) throws -> Bool { try board.program(running().boot) == package.bytes }

    func checkSettings() throws {
        let store = try board.openBlocks()
        for (block, value) in Self.values where try store.read(block) != value {
            throw ContractBreach("persistent block \(block) changed")
        }
        guard board.model.counts.busErrors == 0 else { throw ContractBreach("the controller raised a bus error") }
        guard board.model.counts.cachedChanges == 0 else {
            throw ContractBreach("the flash was changed while the data cache was on")
        }
    }

    /// A start that follows finds the same program proved.
    func checkRecords() throws {
        let running = try running()
        let again = Board(target.profile, STM32Model(board.model.contents))
        let boot = try again.start(powerOn: true, cause: .noProof)
        guard boot.digest == running.boot.digest, !boot.isOnTrial else {
            throw ContractBreach("the records do not stand for the program that stays")
        }
    }
}
