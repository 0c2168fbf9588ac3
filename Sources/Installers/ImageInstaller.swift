public import FirmwareImages
public import FirmwareStorage
import FlashControllers
import IOCOM
import Programs
import Synchronization

/// Where a microcontroller keeps its programs: two banks, or areas between which its boot check copies.
public protocol ProgramPlaces {
    /// Where a new program is written.
    associatedtype Area: FlashArea
    /// What a new program has to be.
    var target: ImageTarget { get }
    /// The place for it.
    var newArea: Area { get set }
    /// The program that runs has proved itself and nothing waits for the next start.
    var isReady: Bool { get }
    /// Before the first byte of a new program is written.
    mutating func beginWriting() throws(FlashFault)
    /// The new program is whole and starts next.
    mutating func select(_ digest: ImageDigest) throws(FlashFault)
    /// The program that runs has proved itself.
    mutating func confirm() throws(FlashFault)
    /// The program that runs is given up; false when there is none to go back to.
    mutating func giveUp(_ reason: GoneBack) throws(FlashFault) -> Bool
    /// The program that going back would start.
    var previous: ProgramDescriptor? { get }
}

/// An installer that also ends the trial of a program, one way or the other.
public protocol ProvingInstaller: ProgramInstaller {
    /// Says that the running program has proved itself.
    func confirm() throws(InstallError)
    /// Gives up the running program for the one before; the caller restarts. Fails when there is none that was proved.
    func markInvalidAndRollBack(_ reason: GoneBack) throws(InstallError)
    /// The program that going back would start; nil when there is none that was proved.
    var previous: ProgramDescriptor? { get }
    /// Bytes that a program may have.
    var capacity: Int { get }
}

/// Writes images of docs/firmware.md into the flash of a microcontroller.
///
/// Nothing is erased before the first 640 bytes have shown that the image is for this part and this application. Units are
/// erased when the first byte for them is there. At the end all of it is read back and its hash compared; only then does it
/// become the program of the next start. A power cut at any operation leaves the old or the new program.
public final class ImageInstaller<Places: ProgramPlaces>: ProvingInstaller {
    private let machine: Mutex<Machine>

    private struct Machine {
        var places: Places
        var phase = Phase.free
    }

    /// One lock covers everything that writes: an installation and a decision for another program exclude each other.
    private enum Phase {
        case free
        case writing(Session)
        /// Another program was chosen: until the restart nothing may be written any more.
        case decided
    }

    private struct Session {
        var scanner: ImageScanner
        /// Bytes that wait until they fill what is written at once.
        var pending: [UInt8] = []
        /// Bytes in the flash.
        var written = 0
        /// Where the part of the area ends that was erased.
        var erased = 0
        var isBegun = false
    }

    /// Bytes written at once.
    private static var chunk: Int { 1024 }

    /// An installer into `places`.
    public init(_ places: sending Places) { machine = Mutex(Machine(places: places)) }

    /// Refuses while the running program has not proved itself: what would be overwritten is its way back.
    public func start() throws(InstallError) {
        try machine.withLock { machine throws(InstallError) in
            switch machine.phase {
            case .decided: throw InstallError(.failed, "the device is about to restart; try again when it is back")
            case .writing(let open): Self.spoil(open, &machine.places)
            case .free: break
            }
            machine.phase = .free
            guard machine.places.isReady else {
                throw InstallError(.failed, "the running program has not proved itself yet; try again when it has")
            }
            machine.phase = .writing(Session(scanner: ImageScanner(machine.places.target)))
        }
    }

    /// Checks the bytes and writes what is complete.
    public func append(_ bytes: [UInt8]) throws(InstallError) {
        try machine.withLock { machine throws(InstallError) in
            guard case .writing(var open) = machine.phase else {
                throw InstallError(.failed, "no installation was started")
            }
            // Not held twice while bytes are added to it.
            machine.phase = .free
            do throws(InstallError) {
                try Self.take(bytes, &open, &machine.places)
                machine.phase = .writing(open)
            } catch {
                Self.spoil(open, &machine.places)
                throw error
            }
        }
    }

    private static func take(
        _ bytes: [UInt8], _ session: inout Session, _ places: inout Places
    ) throws(InstallError) {
        do { try session.scanner.feed(bytes.span.bytes) } catch {
            throw InstallError(refusing: error, target: places.target)
        }
        session.pending += bytes
        guard session.scanner.descriptor != nil else { return }
        var start = 0
        // The last piece waits for `finish`: an image that nobody finished is never whole in the flash.
        while session.pending.count - start > chunk {
            try write(Array(session.pending[start..<start + chunk]), &session, &places)
            start += chunk
        }
        session.pending.removeFirst(start)
    }

    private static func write(
        _ bytes: [UInt8], _ session: inout Session, _ places: inout Places
    ) throws(InstallError) {
        do throws(FlashFault) {
            if !session.isBegun {
                session.isBegun = true
                try places.beginWriting()
            }
            while session.erased < session.written + bytes.count {
                let unit = places.newArea.unit(at: session.erased)
                // Counted first: a unit whose erase fails does not hold what it held.
                session.erased = unit.end
                try places.newArea.erase(unitAt: unit.start)
            }
            let place = session.written
            session.written += bytes.count
            try bytes.span.bytes.withUnsafeBytes { bytes throws(FlashFault) in
                try places.newArea.write(at: place, bytes)
            }
        } catch { throw InstallError(.programmingFailed, "the flash could not be written: \(error.text)") }
    }

    /// Writes the rest, reads everything back, and makes it the program of the next start.
    public func finish() throws(InstallError) -> InstalledProgram {
        try machine.withLock { machine throws(InstallError) in
            guard case .writing(var open) = machine.phase else {
                throw InstallError(.failed, "no installation was started")
            }
            machine.phase = .free
            do throws(InstallError) {
                let program = try Self.complete(&open, &machine.places)
                machine.phase = .decided
                return program
            } catch {
                Self.spoil(open, &machine.places)
                throw error
            }
        }
    }

    private static func complete(
        _ session: inout Session, _ places: inout Places
    ) throws(InstallError) -> InstalledProgram {
        let digest: ImageDigest
        do { digest = try session.scanner.finish() } catch {
            throw InstallError(refusing: error, target: places.target)
        }
        // An image has a multiple of 8 bytes; some flash is written in larger pieces.
        while session.pending.count % places.newArea.writeSize != 0 { session.pending.append(0xFF) }
        if !session.pending.isEmpty { try write(session.pending, &session, &places) }
        let stored: StoredImage
        do throws(FlashFault) {
            guard let found = try StoredImage(in: places.newArea, for: places.target), found.digest == digest else {
                throw FlashFault.notErased
            }
            stored = found
        } catch {
            throw InstallError(.programmingFailed, "the flash does not hold what was written: \(error.text)")
        }
        do throws(FlashFault) { try places.select(digest) } catch {
            throw InstallError(
                .programmingFailed,
                "the new program was written, but could not be made the one that starts: \(error.text)")
        }
        return InstalledProgram(
            application: stored.descriptor.application.description,
            version: stored.descriptor.version.description, size: Int(stored.descriptor.imageSize),
            digest: digest.bytes, needsRestart: true)
    }

    /// Drops the installation.
    public func cancel() {
        machine.withLock { machine in
            guard case .writing(let open) = machine.phase else { return }
            Self.spoil(open, &machine.places)
            machine.phase = .free
        }
    }

    /// A program that was not accepted must not look like one that can start. When this fails too, the records still say
    /// that nothing of it counts.
    private static func spoil(_ session: Session, _ places: inout Places) {
        if session.erased > 0 { try? places.newArea.erase(unitAt: 0) }
    }

    // MARK: Programs

    /// Says that the running program has proved itself.
    public func confirm() throws(InstallError) {
        try machine.withLock { machine throws(InstallError) in
            do throws(FlashFault) { try machine.places.confirm() } catch {
                throw InstallError(.programmingFailed, error.text)
            }
        }
    }

    /// Gives up the running program for the one before; the caller restarts. Fails when there is none that was proved.
    public func markInvalidAndRollBack(_ reason: GoneBack = .asked) throws(InstallError) {
        try machine.withLock { machine throws(InstallError) in
            guard case .free = machine.phase else {
                throw InstallError(.failed, "a program is being written, or was; cancel that first")
            }
            let isDone: Bool
            do throws(FlashFault) { isDone = try machine.places.giveUp(reason) } catch {
                throw InstallError(.programmingFailed, error.text)
            }
            guard isDone else {
                throw InstallError(.failed, "there is no program before this one that was proved on this device")
            }
            machine.phase = .decided
        }
    }

    /// The program that going back would start; nil when there is none that was proved.
    public var previous: ProgramDescriptor? { machine.withLock { $0.places.previous } }
    /// Bytes that a program may have.
    public var capacity: Int { machine.withLock { Int($0.places.target.largest) } }
}

extension InstallError {
    /// The status of 2.8 that says most about a bad image.
    init(refusing problem: ImageProblem, target: ImageTarget) {
        let text =
            switch problem {
            case .application: "\(problem.text) ('\(target.application)')"
            case .os: "\(problem.text); this one takes programs for '\(target.os)'"
            case .hardware: "\(problem.text) than this device has ('\(target.hardware)')"
            default: problem.text
            }
        self.init(problem.status, text)
    }
}

extension FlashFault {
    /// The reason for people.
    var text: String {
        switch self {
        case .range: "a place outside of the flash"
        case .alignment: "a place that the flash can't write alone"
        case .notErased: "it does not keep what is written"
        case .hardware(let bits): ControllerFault(rawValue: bits).text
        }
    }
}

extension ControllerFault {
    private static let words: [(fault: ControllerFault, text: String)] = [
        (.options, "the option bytes, which say what starts, could not be changed"),
        (.timeout, "the flash controller did not become ready in time"),
        (.locked, "the flash controller stays locked until the device restarts"),
        (.writeProtection, "the place is write-protected"),
        (.programming, "the place was not erased"),
        (.operation, "an operation of the flash did not succeed"),
        (.damagedWord, "the flash holds a word that is damaged"),
        (.readProtection, "the place must not be read"),
        (.alignment, "the flash controller was given a wrong address"),
        (.width, "the flash controller was given a wrong width"),
        (.sequence, "the flash controller was used in a wrong sequence"),
        (.fastProgramming, "fast programming of the flash failed"),
    ]

    /// What is wrong, for people. Numbers of other kinds of flash stay numbers.
    var text: String {
        var parts: [String] = []
        var rest = self
        for (fault, text) in Self.words where contains(fault) {
            parts.append(text)
            rest.subtract(fault)
        }
        if parts.isEmpty && rest.isEmpty { return "the flash failed" }
        if !rest.isEmpty { parts.append("error 0x\(String(rest.rawValue, radix: 16)) of the flash") }
        return parts.joined(separator: "; ")
    }
}
