import ByteTools
import DeviceStorage
import FirmwareImages
public import FirmwareStorage
import IOCOM
public import Programs
import Synchronization

/// Takes the hex file of a program for a Teensy: decodes it as it comes, gathers the bytes in the upper part of the flash, and
/// says that the boot stage copies them at the next start.
///
/// Nothing is erased before the beginning has shown that the program is for this board and application. The program that
/// runs, its backup and the persistent blocks are not touched; the boot stage copies in a way that a loss of power at any
/// moment leaves the old or the new program (``AreaCopy``).
public final class TeensyInstaller: ProgramInstaller {
    private let flash: TeensyFlash
    private let application: String
    private let state: Mutex<State>

    /// One lock covers everything that writes.
    private struct State {
        var copy: AreaCopy<FlashRegion>
        var work = Work.free
    }

    private enum Work {
        case free
        case writing(Session)
        /// Something is to be done at the next start: until then nothing may be written any more.
        case decided
    }

    private struct Session {
        var reader: TeensyHexReader
        /// Bytes that follow each other and are not written yet, within one sector.
        var pending: [UInt8] = []
        /// Offset of the first of them.
        var place = 0
        /// Sectors of the downloaded area that were erased.
        var erased: [Bool]
        var hasErased = false
    }

    /// An installer for the board that runs `boot`; packages must be for its application.
    public init(_ flash: TeensyFlash, running boot: TeensyBootStage.Boot) throws(TeensyFlashError) {
        self.flash = flash
        application = boot.image.application
        do throws(FlashFault) { state = Mutex(State(copy: try flash.copy())) } catch { throw flash.error(error) }
    }

    // MARK: Installing

    /// Refuses while the running program has not proved itself: its backup is the way back.
    public func start() throws(InstallError) {
        try state.withLock { state throws(InstallError) in
            if case .decided = state.work {
                throw InstallError(.failed, "the device is about to restart; try again when it is back")
            }
            spoil(&state)
            guard state.copy.isReady else {
                throw InstallError(.failed, "the running program has not proved itself yet; try again when it has")
            }
            let sectors = flash.downloaded.sectorCount
            state.work = .writing(
                Session(
                    reader: TeensyHexReader(board: flash.layout.board, application: application),
                    erased: [Bool](repeating: false, count: sectors)))
        }
    }

    /// Decodes the text and writes what is complete.
    public func append(_ bytes: [UInt8]) throws(InstallError) {
        try state.withLock { state throws(InstallError) in
            guard case .writing(var open) = state.work else {
                throw InstallError(.failed, "no installation was started")
            }
            // Not held twice while bytes are added to it.
            state.work = .free
            do throws(InstallError) {
                let runs: [IntelHexRun]
                do throws(TeensyProblem) { runs = try open.reader.feed(bytes) } catch { throw InstallError(error) }
                try write(runs, &open, &state.copy)
                state.work = .writing(open)
            } catch {
                state.work = .writing(open)
                spoil(&state)
                throw error
            }
        }
    }

    private func write(
        _ runs: [IntelHexRun], _ session: inout Session, _ copy: inout AreaCopy<FlashRegion>
    ) throws(InstallError) {
        let sector = NORFlash.sectorSize
        for run in runs {
            var offset = Int(run.address - TeensyBoard.loadAddress)
            var rest = run.bytes[...]
            while !rest.isEmpty {
                let isNext = offset == session.place + session.pending.count && offset % sector != 0
                if !isNext {
                    try flush(&session, &copy)
                    session.place = offset
                }
                let part = rest.prefix(sector - offset % sector)
                session.pending += part
                offset += part.count
                rest = rest.dropFirst(part.count)
            }
        }
    }

    /// Writes what is pending, erasing its sector when these are the first bytes in it.
    private func flush(_ session: inout Session, _ copy: inout AreaCopy<FlashRegion>) throws(InstallError) {
        guard !session.pending.isEmpty else { return }
        let sector = NORFlash.sectorSize
        try touch(session.place / sector, &session, &copy)
        do { try flash.downloaded.write(at: session.place, session.pending) } catch {
            throw InstallError(.programmingFailed, error.description)
        }
        session.pending.removeAll(keepingCapacity: true)
    }

    private func touch(
        _ sector: Int, _ session: inout Session, _ copy: inout AreaCopy<FlashRegion>
    ) throws(InstallError) {
        guard !session.erased[sector] else { return }
        do throws(FlashFault) {
            if !session.hasErased { try copy.beginDownload() }
        } catch { throw InstallError(flash.error(error)) }
        // Counted first: from the erase on the area no longer holds what it held.
        session.erased[sector] = true
        session.hasErased = true
        do { try flash.downloaded.eraseSector(at: sector * NORFlash.sectorSize) } catch {
            throw InstallError(.programmingFailed, error.description)
        }
    }

    /// Writes the rest, reads everything back, and lets the next start install it.
    public func finish() throws(InstallError) -> InstalledProgram {
        try state.withLock { state throws(InstallError) in
            guard case .writing(var open) = state.work else {
                throw InstallError(.failed, "no installation was started")
            }
            state.work = .free
            do throws(InstallError) {
                let program = try complete(&open, &state.copy)
                state.work = .decided
                return program
            } catch {
                state.work = .writing(open)
                spoil(&state)
                throw error
            }
        }
    }

    private func complete(
        _ session: inout Session, _ copy: inout AreaCopy<FlashRegion>
    ) throws(InstallError) -> InstalledProgram {
        let runs: [IntelHexRun]
        do throws(TeensyProblem) { runs = try session.reader.finish() } catch { throw InstallError(error) }
        try write(runs, &session, &copy)
        try flush(&session, &copy)
        guard let descriptor = session.reader.descriptor else { throw InstallError(TeensyProblem.image(.tooShort)) }
        // Sectors in a gap count as erased, so they have to be.
        let sectors = (Int(descriptor.imageSize) + NORFlash.sectorSize - 1) / NORFlash.sectorSize
        for sector in 0..<sectors { try touch(sector, &session, &copy) }
        do { try flash.device.sync() } catch { throw InstallError(.programmingFailed, error.description) }
        let image: MicrocontrollerImage
        do { image = try flash.image(in: flash.downloaded) } catch {
            if case .image(let problem) = error, problem == .hash || problem == .trailer {
                throw InstallError(TeensyProblem.image(problem))
            }
            throw InstallError(.programmingFailed, "the flash does not hold what was written: \(error)")
        }
        guard image.descriptor == descriptor, let digest = ImageDigest(image.digest) else {
            throw InstallError(.programmingFailed, "the flash holds another program than the one written")
        }
        do throws(FlashFault) { try copy.select(digest) } catch { throw InstallError(flash.error(error)) }
        do { try flash.device.sync() } catch { throw InstallError(.programmingFailed, error.description) }
        return InstalledProgram(
            application: image.application, version: image.version, size: image.size, digest: image.digest,
            needsRestart: true)
    }

    /// Drops the installation.
    public func cancel() {
        state.withLock { state in
            if case .decided = state.work { return }
            spoil(&state)
        }
    }

    /// A program that was not accepted must not look like a whole one.
    private func spoil(_ state: inout State) {
        if case .writing(let open) = state.work {
            if open.hasErased { try? flash.downloaded.eraseSector(at: 0) }
            state.work = .free
        }
    }

    // MARK: The program that runs

    /// Says that the running program has proved itself.
    public func confirm() throws(InstallError) {
        try state.withLock { state throws(InstallError) in
            do throws(FlashFault) { try state.copy.confirm() } catch {
                throw InstallError(flash.error(error))
            }
        }
    }

    /// Gives up the running program for the one before; the next start copies it back. Fails when there is none.
    public func giveUp(_ isAsked: Bool) throws(InstallError) {
        try state.withLock { state throws(InstallError) in
            guard case .free = state.work else {
                throw InstallError(.failed, "a program is being written, or was; cancel that first")
            }
            let isDone: Bool
            do throws(FlashFault) { isDone = try state.copy.giveUp(isAsked ? .asked : .selfTest) } catch {
                throw InstallError(flash.error(error))
            }
            guard isDone else { throw InstallError(.failed, "there is no program before this one") }
            state.work = .decided
        }
    }

    /// The program that going back would start; nil when there is none.
    public var previousImage: MicrocontrollerImage? {
        guard state.withLock({ $0.copy.canGoBack }) else { return nil }
        return try? flash.image(in: flash.backup)
    }

    /// The program in the area where new ones are gathered: one that waits for the next start, or the one that was installed
    /// last; nil when there is none.
    public var downloadedImage: MicrocontrollerImage? { try? flash.image(in: flash.downloaded) }

    /// Bytes that a hex file may have at most, in lines of 16 bytes as tools write them: 45 for each 16.
    public var textCapacity: Int { flash.layout.board.programSize / 16 * 45 }

    /// What the boot stage knows of the areas.
    public var areas: AreaState { state.withLock { $0.copy.state } }
}

extension InstallError {
    init(_ error: TeensyFlashError) { self.init(.programmingFailed, error.description) }

    /// The status of 2.8 that says most about a bad program.
    init(_ problem: TeensyProblem) {
        let status: StreamStatus =
            problem.isTooLarge ? .discFull : problem.isDamage ? .checksumMismatch : .programmingFailed
        self.init(status, problem.description)
    }
}
