/// What a device says about its configuration (docs/configuration.md).
public struct ConfigurationStatus: Sendable, Equatable {
    /// `cfg_state`
    public enum State: Int, Sendable {
        /// What is stored is in force.
        case inForce = 0
        /// A new configuration is stored and waits for a restart.
        case saved = 1
        /// The device runs with a configuration that has to prove itself.
        case trial = 2
        /// The last good configuration was put back.
        case putBack = 3

        /// For people.
        public var text: String {
            switch self {
            case .inForce: "in force"
            case .saved: "saved, waits for a restart"
            case .trial: "on trial"
            case .putBack: "the last good one was put back"
            }
        }

        /// For programs.
        public var name: String { "\(self)" }
    }

    /// Where the configuration stands.
    public let state: State
    /// What is wrong, for people.
    public let error: String?
}
