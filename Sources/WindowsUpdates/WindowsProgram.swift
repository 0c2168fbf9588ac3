import DeviceDescription
public import Installers
import Programs

/// The program of a Windows that is installed from packages.
public struct WindowsProgram: UpdatableProgram {
    /// What progress is shown against: a device learns the size of a package at its end.
    public let capacity = 64 << 20
    /// What packages come through: only what the device permits.
    public let installer: any ProgramInstaller
    /// Packages have no slots.
    public let slotName = "msi"
    private let machine: WindowsMachine
    private let windows: WindowsInstaller

    private let problem: String?

    /// The program of a machine, as its start found it; what `device` permits is installed.
    public init(_ machine: WindowsMachine, _ start: WindowsMachine.Start, for device: SignedInstaller.Device) {
        self.machine = machine
        problem = start.problem
        windows = WindowsInstaller(machine)
        installer = SignedInstaller(windows, for: device)
    }

    /// Windows Installer is at work.
    public var isInstalling: Bool { windows.isAtWork }

    /// Version of the package that is kept.
    public func previousVersion() -> String? { machine.previousVersion() }

    /// What the journal knows of the latest update. It has to be known for the device to run, so nothing is thrown.
    public func findings() -> UpdateFindings {
        let journal: WindowsJournal
        do { journal = try machine.journal() } catch { return UpdateFindings(.failed, error: "\(error)") }
        let phase: UpdatePhase =
            switch (journal.stage, journal.result) {
            case (.proving, _): .proving
            // The start could not finish it.
            case (.installing, _), (.rollingBack, _): .failed
            case (.idle, .confirmed): .confirmed
            case (.idle, .rolledBack): .rolledBack
            case (.idle, .failed): .failed
            case (.idle, nil): .idle
            }
        let isOpen = journal.stage == .installing || journal.stage == .rollingBack
        let texts = [journal.reason, isOpen ? problem ?? "" : ""]
        return UpdateFindings(phase, error: texts.filter { !$0.isEmpty }.joined(separator: "; "))
    }

    /// The device decides how long a trial takes.
    public func trialLeft() -> Int64? { nil }
    /// The journal has it.
    public func noteTrial() {}

    /// The packages change their places in the journal, when the services of the program still run.
    public func confirm() throws -> Confirmation {
        if let problem = try machine.confirm() { return .refuted(problem) }
        return .confirmed(note: nil)
    }

    /// Removes the package and installs the one before.
    public func goBack(_ reason: String) throws {
        try machine.goBack(problem.map { "\(reason): \($0)" } ?? reason)
    }
}
