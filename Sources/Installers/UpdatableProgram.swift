public import DeviceDescription

/// How the program of a device is replaced and taken back: slots of a flash, or the packages of a Linux machine. Blocking,
/// not for an event loop.
public protocol UpdatableProgram: Sendable {
    /// What control streams install through.
    var installer: any ProgramInstaller { get }
    /// Where the program runs from, for `upd_slot`.
    var slotName: String { get }
    /// Bytes that a package may have, for the progress.
    var capacity: Int { get }

    /// The package has been checked and is being installed, which may take a while.
    var isInstalling: Bool { get }
    /// What the tool says that installs the package, its last lines; nil when none is used that says anything.
    var installerText: String? { get }
    /// Somebody else restarts the program after an installation or for going back, as soon as ``mayRestart()`` was called.
    var isRestartedByOthers: Bool { get }

    /// Version that going back would start; nil when there is none.
    func previousVersion() -> String?
    /// What the start finds out about the update before it; safe when this returns.
    func findings() throws -> UpdateFindings
    /// Time that the program on trial has, ms; nil when the device itself decides.
    func trialLeft() -> Int64?
    /// Writes down what is about to be tried.
    func noteTrial() throws
    /// The program proved itself.
    func confirm() throws -> Confirmation
    /// Gives the running program up for the one before; the caller restarts.
    func goBack(_ reason: String) throws
    /// Operators were told that the program restarts: who restarts it need not wait longer.
    func mayRestart()
}

/// What becomes of a trial when the program has proved itself.
public enum Confirmation: Equatable, Sendable {
    /// The update is confirmed; with what went wrong without harm.
    case confirmed(note: String?)
    /// The program ended since it was started and did not prove itself, for the reason given: it is to be given up.
    case refuted(String)
    /// Other programs of the same package have to prove themselves too: to be asked again.
    case waitsForOthers
}

/// What is known of an update at the start of a program.
public struct UpdateFindings: Equatable, Sendable {
    /// Where it stands.
    public var phase: UpdatePhase
    /// Why it ended badly, for people.
    public var error: String
    /// What the tool said that installed it, its last lines.
    public var text: String

    /// Composes findings.
    public init(_ phase: UpdatePhase, error: String = "", text: String = "") {
        self.phase = phase
        self.error = error
        self.text = text
    }
}

extension UpdatableProgram {
    /// None is used.
    public var installerText: String? { nil }
    /// Installing takes no time worth to be shown.
    public var isInstalling: Bool { false }
    /// It restarts itself.
    public var isRestartedByOthers: Bool { false }
    /// Nobody waits.
    public func mayRestart() {}
}
