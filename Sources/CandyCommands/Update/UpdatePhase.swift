/// Values of the signal `upd_state`.
enum UpdatePhase: Int64, Sendable {
    case idle = 0
    case receiving
    case verifying
    case installing
    case restarting
    case proving
    case confirmed
    case rolledBack
    case failed
}
