import DeviceDescription
import DeviceStorage
import IODevice
import Installers
import Testing

@testable import CandyCommands

/// What a start makes of the record and otadata, whatever step the power was cut at.
@Suite struct StartFindingsTests {
    private let trial = UpdateRecord(outcome: .trial, from: "A", to: "B", slot: 1)

    private func start(
        _ record: UpdateRecord?, slot: Int, version: String, needsProof: Bool = false, other: (String, OTAState)? = nil,
        notes: [String] = []
    ) -> StartFindings {
        StartFindings(
            record: record, slot: slot, version: version, needsProof: needsProof, other: other, notes: notes)
    }

    @Test func aDeviceThatWasNeverUpdatedIsIdle() {
        let found = start(nil, slot: 0, version: "A")
        #expect(found.record == nil)
        #expect(found.phase == .idle)
    }

    @Test func aNewProgramIsOnTrialWithOrWithoutARecord() {
        #expect(start(trial, slot: 1, version: "B", needsProof: true, other: ("A", .valid)).record == trial)
        let cutBeforeTheRecord = start(nil, slot: 1, version: "B", needsProof: true, other: ("A", .valid))
        #expect(cutBeforeTheRecord.record == trial)
        #expect(cutBeforeTheRecord.phase == .proving)
        let older = UpdateRecord(outcome: .rolledBack, from: "A", to: "Z", slot: 1, reason: "x")
        #expect(start(older, slot: 1, version: "B", needsProof: true, other: ("A", .valid)).record == trial)
    }

    @Test func aTrialThatOtadataConfirmedIsConfirmed() {
        let found = start(trial, slot: 1, version: "B", other: ("A", .valid))
        #expect(found.phase == .confirmed)
        #expect(found.record?.outcome == .confirmed)
    }

    @Test func anUnexplainedReturnSaysThatTheProgramDidNotConfirmItself() {
        for record in [trial, nil] {
            let found = start(record, slot: 0, version: "A", other: ("B", .aborted))
            #expect(found.phase == .rolledBack)
            #expect(
                found.record?.error
                    == "B was rolled back to A: the new program B did not confirm itself before the device restarted")
        }
    }

    @Test func aProgramThatTheBootLoaderCouldNotStartIsExplainedByIt() {
        let found = start(trial, slot: 0, version: "A", notes: ["slot 1 is passed over: damaged"])
        #expect(found.record?.reason == "slot 1 is passed over: damaged")
    }

    @Test func aReasonThatWasWrittenDownStays() {
        let record = UpdateRecord(outcome: .rolledBack, from: "A", to: "B", slot: 1, reason: "its self-test failed")
        for state in [OTAState.invalid, .aborted] {
            let found = start(record, slot: 0, version: "A", other: ("B", state))
            #expect(found.record == record)
            #expect(found.phase == .rolledBack)
        }
    }

    @Test func recordsSurviveTheStoreAndRubbishIsNone() throws {
        let flash = try FlashRegion(NORFlash(size: 64 * 4096), offset: 0, size: 64 * 4096)
        let store = try FlashPersistentStore(flash)
        #expect(try UpdateRecord(in: store) == nil)
        let record = UpdateRecord(outcome: .rolledBack, from: "A", to: "B\"\n", slot: 1, reason: "ä")
        try record.save(in: store)
        #expect(try UpdateRecord(in: store) == record)
        try store.write(PersistentBlock.updateRecord, [0, 1, 2])
        #expect(try UpdateRecord(in: store) == nil)
    }
}
