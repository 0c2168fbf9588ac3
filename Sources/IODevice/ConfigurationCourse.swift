/// One thing to store; each is safe from a loss of power before the next one begins.
public enum ConfigurationStep: Equatable, Sendable {
    /// Writes the journal.
    case note(ConfigurationJournal)
    /// Writes both blocks, or removes those without a value, one after the other.
    case put(ConfigurationContents)
}

/// The course of a change of a device's configuration: journal, blocks and events in, steps out. Pure.
///
/// The rule: as long as a configuration has not proved itself, the journal keeps the last one that did. A configuration has
/// proved itself when its server knew the device within the time given. When that does not happen, or the device starts too
/// often without it, the last good one is put back, once: nothing is tried again by itself.
///
/// A program and a configuration are never on trial together: while a program is, the device runs with the last good
/// configuration, and the new one waits for the restart after it. So a program is judged with a configuration that works, and
/// a configuration with a program that does.
public enum ConfigurationCourse {
    /// Starts on trial before a configuration is given up, for one that never lives long enough to see its time run out.
    public static let mostStarts: UInt8 = 3

    /// What a start comes to.
    public struct Start: Equatable, Sendable {
        /// To be stored first.
        public var steps: [ConfigurationStep]
        /// What the device runs with.
        public var runs: ConfigurationContents
        /// Whether that has to prove itself.
        public var isOnTrial: Bool
    }

    /// The device starts; `present` is what the blocks hold.
    public static func start(
        _ journal: ConfigurationJournal, _ present: ConfigurationContents, programIsOnTrial: Bool
    ) -> Start {
        let kept = journal.kept ?? ConfigurationContents()
        switch journal.phase {
        case .inForce, .putBack: return Start(steps: [], runs: present, isOnTrial: false)
        case .restoring: return Start(steps: ending(journal, kept), runs: kept, isOnTrial: false)
        case .saved, .trial, .switching: break
        }
        if programIsOnTrial { return Start(steps: [], runs: kept, isOnTrial: false) }
        if journal.phase == .switching, let wanted = journal.wanted {
            let trial = ConfigurationJournal(.trial, starts: 1, kept: kept)
            return Start(steps: [.put(wanted), .note(trial)], runs: wanted, isOnTrial: true)
        }
        if present == kept {
            // The power went before the new value came, or the new value is the old one.
            return Start(steps: [.note(ConfigurationJournal())], runs: present, isOnTrial: false)
        }
        let starts = journal.phase == .trial ? journal.starts : 0
        guard starts < mostStarts else {
            let steps = goingBack(
                kept, "the device started \(starts) times with it and never reached its server")
            return Start(steps: steps, runs: kept, isOnTrial: false)
        }
        let trial = ConfigurationJournal(.trial, starts: starts + 1, kept: kept)
        return Start(steps: [.note(trial)], runs: present, isOnTrial: true)
    }

    /// One of the blocks is about to be replaced. To be stored before that.
    public static func saving(
        _ journal: ConfigurationJournal, _ present: ConfigurationContents
    ) -> [ConfigurationStep] {
        switch journal.phase {
        case .inForce, .putBack: [.note(ConfigurationJournal(.saved, kept: present))]
        case .trial: [.note(ConfigurationJournal(.saved, kept: journal.kept))]
        case .saved, .restoring, .switching: []
        }
    }

    /// The configuration the device runs with proved itself; `running` is that one.
    public static func proved(
        _ journal: ConfigurationJournal, running: ConfigurationContents
    ) -> [ConfigurationStep] {
        switch journal.phase {
        case .trial: [.note(ConfigurationJournal(.inForce, kept: journal.kept))]
        // Another one was saved meanwhile: now there is a newer one to go back to.
        case .saved: [.note(ConfigurationJournal(.saved, kept: running))]
        case .inForce, .putBack, .restoring, .switching: []
        }
    }

    /// The configuration on trial did not prove itself.
    public static func failed(_ journal: ConfigurationJournal, _ reason: String) -> [ConfigurationStep] {
        guard journal.phase == .trial else { return [] }
        return goingBack(journal.kept ?? ConfigurationContents(), reason)
    }

    /// An operator wants the last good configuration. Nil when there is none but the one in force.
    public static func back(
        _ journal: ConfigurationJournal, _ present: ConfigurationContents
    ) -> [ConfigurationStep]? {
        guard let kept = journal.kept, kept != present else { return nil }
        switch journal.phase {
        case .saved, .trial: return goingBack(kept, "an operator asked for it")
        case .inForce:
            // It was good once; whether it still is shows in its own trial.
            return [
                .note(ConfigurationJournal(.switching, kept: present, wanted: kept)), .put(kept),
                .note(ConfigurationJournal(.saved, kept: present)),
            ]
        case .putBack, .restoring, .switching: return nil
        }
    }

    private static func goingBack(_ kept: ConfigurationContents, _ reason: String) -> [ConfigurationStep] {
        let journal = ConfigurationJournal(.restoring, kept: kept, reason: reason)
        return [.note(journal)] + ending(journal, kept)
    }

    private static func ending(
        _ journal: ConfigurationJournal, _ kept: ConfigurationContents
    ) -> [ConfigurationStep] {
        [.put(kept), .note(ConfigurationJournal(.putBack, reason: journal.reason))]
    }
}
