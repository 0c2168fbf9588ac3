public import FirmwareImages
public import FirmwareStorage
public import FlashControllerModels
public import FlashControllers
import IOCOM
import Programs

/// Installs programs on parts with one bank: into the downloaded area; the boot check copies.
public typealias STM32FiveAreaInstaller<Controller: FlashController & Sendable> =
    ImageInstaller<FiveAreaPlaces<Controller>>

/// The areas of a part as places of programs.
public struct FiveAreaPlaces<Controller: FlashController & Sendable>: ProgramPlaces {
    private var copy: AreaCopy<BankArea<Controller>>
    private let backup: BankArea<Controller>
    /// What a new program has to be.
    public let target: ImageTarget

    /// The areas of a machine whose program runs, started by the boot check.
    public init(_ areas: FiveAreas<Controller>) throws(FlashFault) {
        copy = try areas.copy()
        backup = areas.backup
        target = areas.imageTarget
    }

    /// The downloaded area.
    public var newArea: BankArea<Controller> {
        get { copy.downloaded }
        set { copy.downloaded = newValue }
    }

    /// True when the program that runs has proved itself and no copy waits.
    public var isReady: Bool { copy.isReady }

    /// Forgets the program that was downloaded before.
    public mutating func beginWriting() throws(FlashFault) { try copy.beginDownload() }

    /// The next start copies it.
    public mutating func select(_ digest: ImageDigest) throws(FlashFault) { try copy.select(digest) }

    /// Ends the trial.
    public mutating func confirm() throws(FlashFault) { try copy.confirm() }

    /// The next start copies the backup back.
    public mutating func giveUp(_ reason: GoneBack) throws(FlashFault) -> Bool {
        guard previous != nil else { return false }
        return try copy.giveUp(reason)
    }

    /// The program in the backup area, if it proved itself and is whole.
    public var previous: ProgramDescriptor? {
        guard copy.canGoBack, let image = try? StoredImage(in: backup, for: target),
            image.digest == copy.state.backup.digest
        else { return nil }
        return image.descriptor
    }
}

/// A board with one bank and five areas.
public struct STM32FiveAreaBoard: STM32Board {
    /// Which board.
    public let profile: STM32Profile
    /// Its flash and registers.
    public let model: STM32Model

    /// A board around a model, not started yet.
    public init(_ profile: STM32Profile, _ model: STM32Model) {
        self.profile = profile
        self.model = model
    }

    /// The boot check in the first sector, a program in the active area.
    public static func produced(_ profile: STM32Profile, program: [UInt8]) -> FlashContents {
        var contents = FlashContents(profile.part)
        contents.write(profile.bootCheck, at: 0)
        contents.write(program, at: FiveAreas<STM32Driver>.programStart)
        return contents
    }

    private func areas(application: String = "") -> FiveAreas<STM32Driver> {
        FiveAreas(STM32Driver(model), for: profile.target(application: application))
    }

    /// Resets the machine and lets the boot check copy what is to be copied.
    public func start(powerOn: Bool = true, cause: GoneBack = .noProof) throws(STM32BootFailure) -> STM32Boot {
        model.reset(powerOn: powerOn)
        let check = profile.bootCheck
        guard model.contents.bytes(at: 0, count: check.count) == check else { throw .noBootCheck(bank: 0) }
        do throws(FlashFault) {
            let areas = areas()
            var copy = try areas.copy()
            if let start = try copy.start(cause: cause) {
                return STM32Boot(
                    program: start.program, digest: start.digest, bank: 0, isOnTrial: start.isOnTrial,
                    goneBack: copy.state.goneBack, fault: start.fault, behaviour: behaviour(areas.active))
            }
        } catch { throw .flash(error.text) }
        throw .noProgram
    }

    /// The installer into the downloaded area.
    public func provingInstaller(application: String) throws(FlashFault) -> any ProvingInstaller {
        STM32FiveAreaInstaller(try FiveAreaPlaces(areas(application: application)))
    }

    /// That of the downloaded area.
    public func newProgram() -> ProgramDescriptor? {
        let areas = areas()
        guard let copy = try? areas.copy() else { return nil }
        return (try? StoredImage(in: copy.downloaded, for: areas.imageTarget))?.descriptor
    }

    /// That of the downloaded area, after it was taken back.
    public func leftProgram() -> ProgramDescriptor? {
        guard let copy = try? areas().copy(), copy.state.goneBack != .no else { return nil }
        return newProgram()
    }

    /// There is one place.
    public func placeName(_ boot: STM32Boot) -> String { "active" }

    /// Two units of 64 KiB.
    public var blockArea: BankArea<STM32Driver> { areas().blockArea }

    /// Sectors 2 and 3.
    public var recordUnits: [Int] { [2, 3] }

    /// In the active area.
    public func programOffset(_ boot: STM32Boot) -> Int { FiveAreas<STM32Driver>.programStart }
}
