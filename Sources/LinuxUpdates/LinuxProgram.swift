import ByteTools
import DeviceDescription
public import Installers

/// The program of a Linux machine that has an installer.
public struct LinuxProgram: UpdatableProgram {
    /// What progress is shown against: a device learns the size of a package at its end.
    public let capacity = 64 << 20
    /// What packages come through: only what the device permits.
    public let installer: any ProgramInstaller
    private let client: InstallerClient
    private let linux: LinuxInstaller

    /// Packages have no slots.
    public let slotName = "dpkg"

    /// The installer of the machine restarts it.
    public let isRestartedByOthers = true
    /// The installer of the machine is at work.
    public var isInstalling: Bool { linux.isAtWork }

    /// The program whose installer `client` asks; packages come into `folder`, and what `device` permits is installed.
    public init(_ client: InstallerClient, folder: String, for device: SignedInstaller.Device) {
        self.client = client
        linux = LinuxInstaller(client, folder: folder, manifest: device.manifest)
        installer = SignedInstaller(linux, for: device)
    }

    private func state() throws -> InstallerState {
        switch try client.ask(.status) {
        case .state(let state): return state
        case .refused(_, let reason): throw StorageFailure("the installer refuses: \(reason)")
        case .restarting, .list, .said: throw StorageFailure("the installer's answer is not understood")
        }
    }

    /// Version of the package that is kept.
    public func previousVersion() -> String? { (try? state())?.previous }

    /// What the installer knows of the latest update.
    public func findings() throws -> UpdateFindings {
        let state = try state()
        let (phase, error): (UpdatePhase, String) =
            switch (state.stage, state.result) {
            case (.installing, _): (.installing, "")
            case (.proving, _): (.proving, "")
            case (.rollingBack, _): (.restarting, state.reason)
            case (.idle, .confirmed): (.confirmed, "")
            case (.idle, .rolledBack): (.rolledBack, state.reason)
            case (.idle, .failed): (.failed, state.reason)
            case (.idle, nil): (.idle, "")
            }
        return UpdateFindings(phase, error: error, text: state.said)
    }

    /// What the package manager says.
    public var installerText: String? { linux.said }

    /// A little less than the installer gives: the program itself can say best why it gives up.
    public func trialLeft() -> Int64? {
        (try? state())?.secondsLeft.map { seconds in
            // What is left was rounded up, and to say why takes a moment.
            let left = Int64(max(0, seconds - 1)) * 1000
            return left - min(5_000, left / 4)
        }
    }

    /// The installer keeps what has to be known.
    public func noteTrial() {}

    /// Tells the installer; nothing can go wrong without harm.
    public func confirm() throws -> Confirmation {
        switch try client.ask(.confirm) {
        case .refused(_, let reason):
            // It was given up meanwhile: what comes of that says the program that is started next.
            if (try? state())?.stage == .rollingBack { return .waitsForOthers }
            throw StorageFailure(reason)
        case .state(let state) where state.stage == .proving || state.stage == .rollingBack: return .waitsForOthers
        case .state, .restarting, .list, .said: return .confirmed(note: nil)
        }
    }

    /// Asks the installer, which installs the package before and restarts.
    public func goBack(_ reason: String) throws {
        let stage = try state().stage
        // Another program of the package, or the installer itself, was first.
        guard stage != .rollingBack else { return }
        let reply = try client.ask(stage == .proving ? .giveUp(reason: reason) : .rollBack)
        guard case .refused(_, let refusal) = reply, (try? state())?.stage != .rollingBack else { return }
        throw StorageFailure(refusal)
    }

    /// Ends the wait of the installer.
    public func mayRestart() { client.mayRestart() }
}
