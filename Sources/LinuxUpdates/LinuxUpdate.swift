/// The course of an update of one application: what happened goes in, what to do next comes out. A pure value.
///
/// The journal is saved before each step that changes the machine, so that after a cut ``started(_:)`` finds a stage from
/// which the new program is installed and on trial, or the previous one is on its way back; never neither.
public struct LinuxUpdate: Equatable, Sendable {
    /// How often a program on trial may be started by a machine that starts, before it is given up.
    public static let mostStarts = 3

    /// What to do, one after the other. The journal is saved before the first.
    public enum Action: Equatable, Sendable {
        /// Let the package manager finish what was interrupted, then call ``LinuxUpdate/started(_:)`` again.
        case repair
        /// Install the new package, then ``LinuxUpdate/installed(_:)``.
        case installNew
        /// Stop the application, install the previous package, restore its data, then ``LinuxUpdate/wentBack(_:)``.
        case installPrevious
        /// Start the application anew, and give it its time to prove itself.
        case startTrial
        /// Start the application.
        case start
        /// The new package is the one to go back to from now on; the copy of the data is of no use any more.
        case keepNew
    }

    /// What the package manager has.
    public struct Findings: Equatable, Sendable {
        /// Installed version of the package; nil when it is not installed, or only in part.
        public var version: String?
        /// Nothing is half done.
        public var isConsistent: Bool

        /// Composes findings.
        public init(version: String?, isConsistent: Bool) {
            self.version = version
            self.isConsistent = isConsistent
        }
    }

    /// How a run of the package manager ended.
    public struct Run: Equatable, Sendable {
        /// Nil when it succeeded, else what it said.
        public var failure: String?
        /// What it has now.
        public var findings: Findings

        /// Composes a run.
        public init(failure: String?, findings: Findings) {
            self.failure = failure
            self.findings = findings
        }
    }

    /// What is to be kept in the file.
    public private(set) var journal: UpdateJournal
    private var hasRepaired = false
    private var hasFailedToGoBack = false

    /// Goes on from what was saved.
    public init(_ journal: UpdateJournal) { self.journal = journal }

    /// True while another update has to wait.
    public var isUnderWay: Bool { journal.stage != .idle }

    /// The package manager said something.
    public mutating func note(said: String) { journal.said = said }

    // MARK: An update

    /// A package was examined, the previous one and the data are kept: it may be installed.
    public mutating func begin(from: String?, to: String) -> [Action] {
        guard !isUnderWay else { return [] }
        journal = UpdateJournal(stage: .installing, from: from, to: to, result: nil, reason: "")
        return [.installNew]
    }

    /// The package manager is done with the new package.
    public mutating func installed(_ run: Run) -> [Action] {
        guard journal.stage == .installing else { return [] }
        if run.failure == nil, run.findings.version == journal.to, run.findings.isConsistent {
            journal.stage = .proving(starts: 1)
            return [.startTrial]
        }
        let reason = run.failure ?? "the package manager did not install version \(journal.to)"
        // Refused before anything was unpacked: the old program still is the one.
        if run.findings.isConsistent, run.findings.version == journal.from { return end(.failed, reason, []) }
        return goBack(reason)
    }

    /// The program on trial proved itself.
    public mutating func confirmed() -> [Action] {
        guard case .proving = journal.stage else { return [] }
        return end(.confirmed, "", [.keepNew])
    }

    /// The program on trial failed, or an operator wants the previous one back.
    public mutating func gaveUp(_ reason: String) -> [Action] {
        guard case .proving = journal.stage else { return [] }
        return goBack(reason)
    }

    /// An operator wants the previous program back although the new one proved itself. `to` is the version that is kept.
    public mutating func goBack(from: String?, to: String, _ reason: String) -> [Action] {
        guard !isUnderWay else { return [] }
        journal = UpdateJournal(stage: .idle, from: to, to: from ?? "", result: nil, reason: "")
        return goBack(reason)
    }

    /// The package manager is done with the previous package.
    public mutating func wentBack(_ run: Run) -> [Action] {
        guard case .rollingBack(let reason) = journal.stage else { return [] }
        if run.failure == nil, run.findings.isConsistent, run.findings.version == journal.from {
            return end(.rolledBack, reason, [.start])
        }
        // Once more after a repair; then it stays in this stage, and it is tried again later.
        guard !hasFailedToGoBack else { return [.start] }
        hasFailedToGoBack = true
        return [.repair]
    }

    /// Some time after going back failed: once more.
    public mutating func retry() -> [Action] {
        guard case .rollingBack = journal.stage else { return [] }
        return [.installPrevious]
    }

    // MARK: Starting

    /// The installer started, or repaired what was interrupted.
    public mutating func started(_ findings: Findings) -> [Action] {
        // What is half done without an update is somebody else's work, who may be at it.
        guard isUnderWay else { return [] }
        if !findings.isConsistent && !hasRepaired {
            hasRepaired = true
            return [.repair]
        }
        switch journal.stage {
        case .idle: return []
        case .installing:
            if findings.isConsistent, findings.version == journal.to {
                journal.stage = .proving(starts: 1)
                return [.startTrial]
            }
            let reason = "the installation of \(journal.to) was interrupted"
            if findings.isConsistent, findings.version == journal.from { return end(.failed, reason, [.start]) }
            return goBack(reason)
        case .proving(let starts):
            guard findings.isConsistent, findings.version == journal.to else {
                return goBack("\(journal.to) is not completely installed any more")
            }
            guard starts < Self.mostStarts else {
                return goBack("\(journal.to) did not prove itself in \(starts) starts")
            }
            journal.stage = .proving(starts: starts + 1)
            return [.startTrial]
        case .rollingBack: return [.installPrevious]
        }
    }

    private mutating func goBack(_ reason: String) -> [Action] {
        // Without a previous version there is nothing to go back to: what is there is kept, and can be updated again.
        guard journal.from != nil else { return end(.failed, reason + "; there is no previous version", [.start]) }
        journal.stage = .rollingBack(reason: reason)
        hasFailedToGoBack = false
        return [.installPrevious]
    }

    private mutating func end(_ result: UpdateJournal.Result, _ reason: String, _ actions: [Action]) -> [Action] {
        journal.stage = .idle
        journal.result = result
        journal.reason = reason
        return actions
    }
}
