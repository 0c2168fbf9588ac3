import DeviceDescription
import IOCOM
import Testing

import IODevice

@Suite struct UpdateReportTests {
    @Test func anUploadGoesThroughItsPhases() {
        var report = UpdateReport(.idle, slotSize: 1000)
        report.note(.receiving(block: 1))
        #expect(report.phase == .receiving)
        report.note(.received(block: 1, bytes: 500))
        #expect(report.progress == 50)
        report.note(.received(block: 1, bytes: .max))
        #expect(report.progress == 99)
        report.note(.verifying(block: 1))
        #expect(report.phase == .verifying)
        #expect(report.progress == 100)
        report.note(.stored(block: 1, effect: .restart("x")))
        #expect(report.phase == .installing)
    }

    @Test func aFailureKeepsItsReason() {
        var report = UpdateReport(.idle, slotSize: 1000)
        report.note(.receiving(block: 1))
        report.note(.uploadFailed(block: 1, .checksumMismatch, reason: "damaged"))
        #expect(report.phase == .failed)
        #expect(report.error == "damaged")
        report.note(.receiving(block: 1))
        #expect(report.error.isEmpty)
    }

    @Test func otherBlocksDoNotMatter() {
        var report = UpdateReport(.confirmed, slotSize: 1000)
        let before = report
        report.note(.receiving(block: 14))
        report.note(.received(block: 14, bytes: 5))
        report.note(.uploadFailed(block: 14, .failed, reason: "x"))
        #expect(report == before)
    }
}
