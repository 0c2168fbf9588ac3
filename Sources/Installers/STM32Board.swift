public import FirmwareImages
public import FirmwareStorage
public import FlashControllerModels
public import FlashControllers
import IOCOM
import Programs

/// A board with an STM32 as `--hardware` names it.
public struct STM32Profile: Sendable, Equatable {
    /// Name for `--hardware`, `si_hw` and package names.
    public let name: String
    /// The part.
    public let part: STM32Part
    /// Operating system as `si_os` and package names have it.
    public let os = "stm32"
    /// Address that programs are linked for.
    public let loadAddress: UInt32
    /// Bytes that a program may have.
    public let capacity: Int

    private init(_ name: String, _ part: STM32Part, loadAddress: UInt32, capacity: Int) {
        self.name = name
        self.part = part
        self.loadAddress = loadAddress
        self.capacity = capacity
    }

    /// STM32F429 with 2 MiB: two banks.
    public static let f429 = STM32Profile(
        "stm32f429", .f42x, loadAddress: DualBank<STM32Driver>.loadAddress,
        capacity: STM32Part.f42x.bankSize - DualBank<STM32Driver>.programStart)
    /// STM32L476 with 1 MiB: two banks.
    public static let l476 = STM32Profile(
        "stm32l476", .l47x, loadAddress: DualBank<STM32Driver>.loadAddress,
        capacity: STM32Part.l47x.bankSize - DualBank<STM32Driver>.programStart)

    /// STM32F405 with 1 MiB: one bank, five areas.
    public static let f405 = STM32Profile(
        "stm32f405", .f405, loadAddress: FiveAreas<STM32Driver>.loadAddress,
        capacity: FiveAreas<STM32Driver>.programSize)

    /// Those with two banks.
    public static let dualBank = [f429, l476]
    /// All.
    public static let all = dualBank + [f405]

    /// The profile with a name; nil when there is none.
    public static func named(_ name: String) -> STM32Profile? { all.first { $0.name == name } }

    /// What a program has to be to run here; `application` empty takes any.
    public func target(application: String = "") -> ImageTarget {
        let ram = AddressRange(part.ram.lowerBound, part.ram.upperBound)
        // 64 KiB beside the bus matrix (F4), SRAM2 (L4).
        let second = AddressRange(0x1000_0000, part == .l47x ? 0x1000_8000 : 0x1001_0000)
        return ImageTarget(
            application: ShortText(application) ?? ShortText(), os: ShortText(os) ?? ShortText(),
            hardware: ShortText(name) ?? ShortText(), largest: UInt32(capacity), loadAddress: loadAddress,
            machine: .cortexM(ram: ram, second: second))
    }

    /// The first sector of each bank as production writes it: a vector table whose stack pointer the system boot loader
    /// accepts, and what stands for the code of the boot check in the emulation.
    public var bootCheck: [UInt8] {
        var bytes: [UInt8] = []
        for word in [0x2000_1000, 0x0800_0201] as [UInt32] {
            for k in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(8 * k))) }
        }
        bytes += Array("IOCOM boot check of \(name)".utf8)
        let rest = 2048 - bytes.count
        return bytes + (0..<rest).map { UInt8(truncatingIfNeeded: $0 &* 73 ^ $0 >> 5) }
    }
}

/// Why a board does not start anything.
public enum STM32BootFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The system boot loader found no bank with a stack pointer in RAM.
    case systemBootLoader
    /// The first sector of the bank that was started does not hold the boot check.
    case noBootCheck(bank: Int)
    /// No place holds a program that may run.
    case noProgram
    /// It resets again and again.
    case restartsForEver
    /// The flash failed.
    case flash(String)

    /// The reason for people.
    public var description: String {
        switch self {
        case .systemBootLoader: "no bank begins with a vector table; the system boot loader waits for a host"
        case .noBootCheck(let bank): "bank \(bank + 1) was started and does not begin with the boot check"
        case .noProgram: "there is no whole program in the flash"
        case .restartsForEver: "the boot check restarts the device again and again"
        case .flash(let text): text
        }
    }
}

/// What was started on a board.
public struct STM32Boot: Sendable {
    /// What the program says of itself.
    public let program: ProgramDescriptor
    /// Its hash.
    public let digest: ImageDigest
    /// Bank it runs in; 0 on parts with one.
    public let bank: Int
    /// It has to prove itself.
    public let isOnTrial: Bool
    /// Why the program before was left.
    public let goneBack: GoneBack
    /// Why nothing could be written down for this start; nil when all is well.
    public var fault: FlashFault?
    /// How it behaves in the emulation.
    public let behaviour: ProgramBehaviour

    /// What the boot check did beside starting the program, for a log.
    public var notes: [String] {
        if let fault { return ["nothing could be written down for this start: \(fault.text)"] }
        return switch goneBack {
        case .no: []
        case .noProof: ["the program before it was left: it gave no proof before the device restarted"]
        case .watchdog: ["the program before it was left: it stopped answering the watchdog"]
        case .crash: ["the program before it was left: it crashed"]
        case .selfTest: ["the program before it was left: its self-test failed"]
        case .asked: ["the program before it was left: that was asked for"]
        case .damaged: ["the program before it was left: it was damaged in the flash, or its bank did not start"]
        }
    }
}

/// A board with two banks: the model of the part, and what the boot check does with the drivers that firmware uses.
public struct STM32DualBankBoard: Sendable {
    /// Which board.
    public let profile: STM32Profile
    /// Its flash and registers.
    public let model: STM32Model
    /// What lies where.
    public let banks: DualBank<STM32Driver>

    /// A board around a model, not started yet.
    public init(_ profile: STM32Profile, _ model: STM32Model) {
        self.profile = profile
        self.model = model
        banks = DualBank(STM32Driver(model), for: profile.target())
    }

    /// The flash of a board as it leaves production: the boot check in both banks, a program in the first.
    public static func produced(_ profile: STM32Profile, program: [UInt8]) -> FlashContents {
        var contents = FlashContents(profile.part)
        contents.write(profile.bootCheck, at: 0)
        contents.write(profile.bootCheck, at: profile.part.bankSize)
        contents.write(program, at: DualBank<STM32Driver>.programStart)
        return contents
    }

    /// Resets the machine and lets the boot check do its work until a program is started. `cause` is what the reset says of
    /// the program before.
    public func start(powerOn: Bool = true, cause: GoneBack = .noProof) throws(STM32BootFailure) -> STM32Boot {
        // A boot check resets once for another bank; where that does not help it tries again, and may be sent back each time.
        for turn in 0..<2 * Int(DualBank<STM32Driver>.mostExchanges) + 2 {
            guard case .bank(let bank) = model.reset(powerOn: powerOn && turn == 0) else { throw .systemBootLoader }
            let check = profile.bootCheck
            guard model.contents.bytes(at: bank * profile.part.bankSize, count: check.count) == check else {
                throw .noBootCheck(bank: bank)
            }
            // The drivers switch the clock of SYSCFG on after each reset.
            let banks = DualBank(STM32Driver(model), for: profile.target())
            switch banks.start(cause: cause) {
            case .restart:
                guard model.wantsReset else { throw .flash("the reset was not taken") }
            case .nothing: throw .noProgram
            case .program(let isOnTrial, let goneBack):
                let image: StoredImage?
                do { image = try banks.image(in: bank) } catch { throw .flash(error.text) }
                guard let image else { throw .noProgram }
                return STM32Boot(
                    program: image.descriptor, digest: image.digest, bank: bank, isOnTrial: isOnTrial,
                    goneBack: goneBack, behaviour: behaviour(banks.slot(bank)))
            }
        }
        throw .restartsForEver
    }

    /// The installer of a program that was started; packages must be for `application`.
    public func installer(application: String) throws(FlashFault) -> STM32DualBankInstaller<STM32Driver> {
        let banks = DualBank(STM32Driver(model), for: profile.target(application: application))
        return STM32DualBankInstaller(try DualBankPlaces(banks))
    }
}

/// The record of an image for the emulation.
func behaviour(_ area: some FlashArea) -> ProgramBehaviour {
    var record = [UInt8](repeating: 0, count: ProgramDescriptor.recordSize)
    record.withUnsafeMutableBytes { try? area.read(at: ProgramDescriptor.recordOffset, into: $0) }
    return ProgramBehaviour(record: record)
}
