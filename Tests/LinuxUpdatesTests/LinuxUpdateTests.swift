import Testing

@testable import LinuxUpdates

private typealias Findings = LinuxUpdate.Findings
private typealias Run = LinuxUpdate.Run

@Suite struct LinuxUpdateTests {
    private let old = Findings(version: "1", isConsistent: true)
    private let new = Findings(version: "2", isConsistent: true)
    private let half = Findings(version: nil, isConsistent: false)

    private func begun() -> LinuxUpdate {
        var update = LinuxUpdate(.empty)
        #expect(update.begin(from: "1", to: "2") == [.installNew])
        #expect(update.isUnderWay && update.begin(from: "1", to: "3").isEmpty)
        return update
    }

    private func proving() -> LinuxUpdate {
        var update = begun()
        #expect(update.installed(Run(failure: nil, findings: new)) == [.startTrial])
        return update
    }

    @Test func `A program that proves itself is kept`() {
        var update = proving()
        #expect(update.confirmed() == [.keepNew])
        #expect(update.journal.result == .confirmed && update.journal.stage == .idle)
        #expect(update.confirmed().isEmpty && update.gaveUp("late").isEmpty)
    }

    @Test func `A program that fails its trial is replaced by the one before`() {
        var update = proving()
        #expect(update.gaveUp("it crashed") == [.installPrevious])
        #expect(update.wentBack(Run(failure: nil, findings: old)) == [.start])
        #expect(update.journal.result == .rolledBack && update.journal.reason == "it crashed")
    }

    @Test func `A package that is refused untouched leaves the old program`() {
        var update = begun()
        #expect(update.installed(Run(failure: "depends on x", findings: old)).isEmpty, "it never stopped")
        #expect(update.journal.result == .failed && update.journal.reason == "depends on x")
    }

    @Test func `A package that fails half-way is replaced by the one before`() {
        for findings in [half, Findings(version: "2", isConsistent: false), Findings(version: "3", isConsistent: true)]
        {
            var update = begun()
            #expect(update.installed(Run(failure: "postinst failed", findings: findings)) == [.installPrevious])
            #expect(update.wentBack(Run(failure: nil, findings: old)) == [.start])
            #expect(update.journal.result == .rolledBack && update.journal.reason == "postinst failed")
        }
        var update = begun()
        #expect(update.installed(Run(failure: nil, findings: old)).isEmpty, "dpkg says done and did nothing")
        #expect(update.journal.result == .failed)
    }

    @Test func `Going back that fails is repaired and tried again, and stays wanted`() {
        var update = proving()
        _ = update.gaveUp("it hangs")
        #expect(update.wentBack(Run(failure: "disk full", findings: half)) == [.repair])
        #expect(update.started(half) == [.repair], "the repair itself")
        #expect(update.started(half) == [.installPrevious])
        #expect(update.wentBack(Run(failure: "disk full", findings: half)) == [.start])
        #expect(update.isUnderWay)
        var later = LinuxUpdate(update.journal)
        #expect(later.started(half) == [.repair])
        #expect(later.started(old) == [.installPrevious])
        #expect(later.wentBack(Run(failure: nil, findings: old)) == [.start])
        #expect(later.journal.result == .rolledBack && later.journal.reason == "it hangs")
    }

    @Test func `Without a previous version what is there is kept`() {
        var update = LinuxUpdate(.empty)
        _ = update.begin(from: nil, to: "2")
        _ = update.installed(Run(failure: nil, findings: new))
        #expect(update.gaveUp("it crashed") == [.start])
        #expect(update.journal.result == .failed && update.journal.reason.contains("no previous version"))
    }

    @Test func `An operator can go back later`() {
        var update = proving()
        _ = update.confirmed()
        #expect(update.goBack(from: "2", to: "1", "an operator asked for it") == [.installPrevious])
        #expect(update.wentBack(Run(failure: nil, findings: old)) == [.start])
        #expect(update.journal.result == .rolledBack)
    }

    /// Every stage, cut anywhere, and every state the package manager can be found in: at last one of the two versions runs.
    @Test func `After a cut at any moment one of the two versions runs`() {
        let found = [
            old, new, half, Findings(version: "2", isConsistent: false), Findings(version: nil, isConsistent: true),
        ]
        var installing = begun()
        var trial = proving()
        var back = proving()
        _ = back.gaveUp("it hangs")
        for journal in [installing.journal, trial.journal, back.journal] {
            for first in found {
                for afterRepair in found where afterRepair.isConsistent || first == afterRepair {
                    var update = LinuxUpdate(journal)
                    var machine = first
                    var actions = update.started(machine)
                    var steps = 0
                    while let action = actions.first, steps < 20 {
                        steps += 1
                        #expect(actions.count == 1)
                        switch action {
                        case .repair:
                            machine = afterRepair
                            actions = update.started(machine)
                        case .installPrevious:
                            machine = old
                            actions = update.wentBack(Run(failure: nil, findings: machine))
                        case .startTrial: actions = update.confirmed()
                        case .start, .keepNew: actions = []
                        case .installNew:
                            Issue.record("a cut never leads to an installation that nobody wants any more")
                        }
                    }
                    #expect(!update.isUnderWay && steps < 20, "\(journal), \(first), \(afterRepair)")
                    let expected = update.journal.result == .confirmed ? "2" : "1"
                    #expect(machine.version == expected && machine.isConsistent, "\(journal), \(first), \(afterRepair)")
                }
            }
        }
        _ = (installing.begin(from: nil, to: ""), trial.begin(from: nil, to: ""))
    }

    @Test func `A program that is never confirmed is given up after some starts of the machine`() {
        var update = proving()
        for _ in 1..<LinuxUpdate.mostStarts {
            update = LinuxUpdate(update.journal)
            #expect(update.started(new) == [.startTrial])
        }
        update = LinuxUpdate(update.journal)
        #expect(update.started(new) == [.installPrevious])
    }

    @Test func `The journal is read as it was written, and nothing else is one`() throws {
        var journals = [UpdateJournal.empty, begun().journal, proving().journal]
        var update = proving()
        _ = update.gaveUp("it says \"no\"\nand é")
        journals.append(update.journal)
        _ = update.wentBack(Run(failure: nil, findings: old))
        journals.append(update.journal)
        for journal in journals {
            #expect(UpdateJournal(parsing: journal.bytes) == journal)
            for count in 0..<journal.bytes.count {
                #expect(UpdateJournal(parsing: Array(journal.bytes.prefix(count))) == nil)
            }
        }
        #expect(UpdateJournal(parsing: Array(#"{"stage": "proving", "to": "2"}"#.utf8)) == nil)
        #expect(UpdateJournal(parsing: [UInt8](repeating: 32, count: 10_000)) == nil)
    }
}
