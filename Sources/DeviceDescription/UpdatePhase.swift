/// Values of the signal `upd_state` of ``StandardSignals/update`` (docs/protocol-extensions.md).
public enum UpdatePhase: Int64, Sendable {
    /// Nothing going on.
    case idle = 0
    /// A program is coming in.
    case receiving
    /// It is being checked.
    case verifying
    /// It is being installed.
    case installing
    /// The device is about to restart.
    case restarting
    /// The new program runs on trial.
    case proving
    /// The new program proved itself.
    case confirmed
    /// The old program runs again.
    case rolledBack
    /// The update failed; the old program never stopped being the one.
    case failed

    /// For people.
    public var text: String {
        switch self {
        case .idle: "idle"
        case .receiving: "receiving"
        case .verifying: "verifying"
        case .installing: "installing"
        case .restarting: "restarting"
        case .proving: "proving"
        case .confirmed: "confirmed"
        case .rolledBack: "rolled back"
        case .failed: "failed"
        }
    }

    /// True while an update is under way: another one has to wait.
    public var isUnderWay: Bool {
        switch self {
        case .receiving, .verifying, .installing, .restarting, .proving: true
        case .idle, .confirmed, .rolledBack, .failed: false
        }
    }
}
