/// How an update goes from one stage to the next, without any command: what is installed is known to Windows only.
///
///     idle ── begin ──▶ installing ── installed ──▶ proving ── confirm ──▶ idle
///      │                    │ failed, a cut            │ given up, too many starts
///      └── giveUp ──▶ rollingBack ◀────────────────────┘        rollingBack ── wentBack ──▶ idle
///
/// What may be installed is named until the registry says that it is not: so `rollingBack` is left only when everything in
/// ``givenUp`` is gone and `current` is back, or when another package takes its place. A step that can't be done leaves the
/// stage as it is, for the next start, an operator, or another package.
extension WindowsJournal {
    /// Starts that a program on trial gets.
    static let mostStarts = 3
    /// Packages that were given up and could not be removed.
    static let mostLeftovers = 4

    /// Why a step is not possible now.
    enum Refusal: Error, Equatable {
        /// The program that runs has not proved itself.
        case onTrial
        /// The package is another product than what is installed.
        case otherProduct(installed: String)
        /// So many packages can't be removed that another would not be written down.
        case tooManyLeftovers
        /// No package from before is kept.
        case nothingBefore
        /// The program was given up.
        case givenUp

        var text: String {
            switch self {
            case .onTrial: "the update before has not proved itself yet"
            case .otherProduct(let code):
                "the package is another product than what is installed, which has upgrade code \(code)"
            case .tooManyLeftovers:
                "\(mostLeftovers) packages that were given up can't be removed: remove them on the machine itself"
            case .nothingBefore: "no package from before is kept"
            case .givenUp: "the program was given up and is not taken back yet"
            }
        }
    }

    /// What must not be installed when `current` runs again.
    var givenUp: [Kept] { (next.map { [$0] } ?? []) + leftovers }

    /// Everything that may be installed.
    var all: [Kept] { givenUp + (current.map { [$0] } ?? []) }

    /// Windows Installer is about to begin with a package. `remaining` is what the registry still knows of ``givenUp``.
    mutating func begin(_ kept: Kept, remaining: [Kept]) throws(Refusal) {
        guard stage != .proving else { throw .onTrial }
        if let current, current.upgradeCode != kept.upgradeCode { throw .otherProduct(installed: current.upgradeCode) }
        guard remaining.count <= Self.mostLeftovers else { throw .tooManyLeftovers }
        leftovers = remaining
        next = kept
        stage = .installing
        tries = 0
        result = nil
        reason = ""
    }

    /// The package is installed, and no other of the application is.
    mutating func noteInstalled() {
        leftovers = []
        stage = .proving
        tries = 0
    }

    /// The package was not installed, or not wholly.
    mutating func noteFailed(_ text: String) {
        stage = .rollingBack
        result = .failed
        reason = text
    }

    /// The device starts.
    mutating func noteStart() {
        switch stage {
        case .idle, .rollingBack: break
        case .installing: noteInterrupted()
        case .proving:
            tries += 1
            guard tries > Self.mostStarts else { return }
            tries = 0
            stage = .rollingBack
            result = .rolledBack
            reason = "\(next?.version ?? "the update") did not prove itself in \(Self.mostStarts) starts"
        }
    }

    private mutating func noteInterrupted() {
        noteFailed("\(next?.version ?? "the update") was interrupted while it was installed")
    }

    /// The program on trial proved itself. False when there is none and none was given up.
    mutating func confirm() throws(Refusal) -> Bool {
        switch stage {
        case .idle: return false
        case .installing, .rollingBack: throw .givenUp
        case .proving: break
        }
        previous = current
        current = next
        next = nil
        stage = .idle
        tries = 0
        result = .confirmed
        reason = ""
        return true
    }

    /// The program that runs is given up for the one before. Once given up it stays so, whoever asks again.
    mutating func giveUp(_ why: String) throws(Refusal) {
        switch stage {
        case .rollingBack: return
        // Nobody is at work, so it was cut.
        case .installing: return noteInterrupted()
        case .proving: break
        case .idle:
            guard previous != nil, current != nil else { throw .nothingBefore }
            next = current
            current = previous
            previous = nil
        }
        stage = .rollingBack
        tries = 0
        result = .rolledBack
        reason = "\(next?.version ?? "the update") was rolled back to \(current?.version ?? "nothing"): \(why)"
    }

    /// Nothing that was given up is installed any more, and `current` is.
    mutating func noteWentBack() {
        next = nil
        leftovers = []
        stage = .idle
        tries = 0
        if result == nil { result = .rolledBack }
    }
}
