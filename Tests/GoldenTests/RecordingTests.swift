import FoundationEssentials
import GoldenChecks
import IOCOM
import IOCOMTestSupport
import Testing

/// The folder of the package.
private let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

/// Recordings of the original programs: IOCOM_GOLDEN, or the folder beside the checkout.
private var originals: [String] {
    let folder = ProcessInfo.processInfo.environment["IOCOM_GOLDEN"] ?? root + "/../shared/golden"
    return GoldenReport.files(in: folder)
}

/// Recordings of our own machines.
private var own: [String] { GoldenReport.files(in: root + "/Tests/GoldenTests/Recordings") }

@Suite struct RecordingTests {
    @Test(.enabled(if: !originals.isEmpty, "no recordings of the original here; set IOCOM_GOLDEN to their folder"))
    func `Recordings of the original encode to the same bytes and are answered as they were`() throws {
        for file in originals {
            let report = try GoldenReport(file: file)
            #expect(report.failures.isEmpty, "\(report.name)")
            #expect(report.equal == report.items, "\(report.name): \(report.undetermined)")
        }
    }

    @Test func `Our own recordings pass the same checks`() throws {
        #expect(own.count >= 3)
        for file in own {
            let report = try GoldenReport(file: file)
            #expect(report.failures.isEmpty, "\(report.name)")
        }
    }

    @Test func `A recording with one damaged byte fails nearly always`() throws {
        var random = Seeded(7)
        var found = 0
        var tried = 0
        let recordings = try own.map { try Recording(file: $0) }
        for _ in 0..<60 {
            guard var recording = recordings.randomElement(using: &random) else { break }
            let piece = random.below(recording.connections[0].count)
            let at = random.below(recording.connections[0][piece].bytes.count)
            recording.connections[0][piece].bytes[at] ^= UInt8(1 << random.below(8))
            tried += 1
            if !GoldenReport(name: "damaged", recording: recording).failures.isEmpty { found += 1 }
        }
        #expect(tried == 60)
        #expect(found >= 20, "only \(found) of 60 damaged bytes were noticed")
    }
}
