import ByteTools
import PackedJSON
import Programs
import UpdateTesting

/// What a campaign with one image file showed.
struct Outcome {
    let path: String
    let size: Int
    let image: ESPImage?
    let report: PowerCutCampaign.Report?
    /// Why there is no report.
    let refusal: String?
    let seconds: Double

    var isGood: Bool { report.map { $0.failureCount == 0 && $0.totalCuts > 0 } ?? false }

    /// Runs the campaign; throws when the file can't be read.
    init(_ file: File, pageSize: Int) throws(StorageFailure) {
        path = file.path
        size = try file.byteCount
        guard size <= ESPImage.largestSize else {
            throw StorageFailure("\(path): \(size) bytes are more than a module can hold (\(ESPImage.largestSize))")
        }
        let program = try file.read(at: 0, count: size)
        let clock = ContinuousClock()
        let start = clock.now
        let checked: ESPImage
        do {
            checked = try ESPImage(checking: ArraySource(program))
            // A slot is a multiple of 64 KiB (ESP-IDF, partition tables).
            let slot = 0x10000
            let campaign = try PowerCutCampaign(
                program: program, slotSize: max(slot, (size + slot - 1) / slot * slot), pageSize: pageSize)
            report = try campaign.run()
            image = checked
            refusal = nil
        } catch {
            image = nil
            report = nil
            refusal = "\(error)"
        }
        let duration = start.duration(to: clock.now).components
        seconds = Double(duration.seconds) + Double(duration.attoseconds / 1_000_000_000_000_000) / 1000
    }

    /// For a person.
    var text: String {
        guard let report, let image else { return "\(path): not installed: \(refusal ?? "")" }
        var lines = [
            "\(path): \(image.chip), \(image.application.project) \(image.application.version), \(size) bytes",
            Self.columns("phase", "operations", "cuts", "cut again", "failures"),
        ]
        for phase in PowerCutCampaign.Phase.allCases {
            lines.append(
                Self.columns(
                    phase.rawValue, "\(report.operations[phase] ?? 0)", "\(report.cuts[phase] ?? 0)",
                    "\(report.secondCuts[phase] ?? 0)", "\(report.failureCounts[phase] ?? 0)"))
        }
        let operations = report.operations.values.reduce(0, +)
        lines.append(
            Self.columns(
                "total", "\(operations)", "\(report.totalCuts)", "\(report.totalSecondCuts)", "\(report.failureCount)"))
        lines.append(
            "after a cut: the old program ran \(report.oldProgram) times, the new one \(report.newProgram) times;"
                + " \(Int(seconds.rounded())) s")
        lines += report.failures.map { "FAILED \($0)" }
        return lines.joined(separator: "\n")
    }

    private static func columns(_ phase: String, _ numbers: String...) -> String {
        let first = phase + String(repeating: " ", count: max(0, 10 - phase.count))
        return "  " + first + numbers.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }.joined()
    }

    /// For a program.
    var json: JSON {
        var members: [JSON.Member] = [
            JSON.Member("image", .string(path)), JSON.Member("size", .integer(Int64(size))),
            JSON.Member("seconds", .number(seconds)),
        ]
        guard let report, let image else {
            return .object(members + [JSON.Member("refused", .string(refusal ?? ""))])
        }
        let phases = PowerCutCampaign.Phase.allCases.map { phase in
            JSON.object([
                JSON.Member("phase", .string(phase.rawValue)),
                JSON.Member("operations", .integer(Int64(report.operations[phase] ?? 0))),
                JSON.Member("cuts", .integer(Int64(report.cuts[phase] ?? 0))),
                JSON.Member("secondCuts", .integer(Int64(report.secondCuts[phase] ?? 0))),
                JSON.Member("failures", .integer(Int64(report.failureCounts[phase] ?? 0))),
            ])
        }
        members += [
            JSON.Member("chip", .string("\(image.chip)")),
            JSON.Member("project", .string(image.application.project)),
            JSON.Member("version", .string(image.application.version)),
            JSON.Member("phases", .array(phases)),
            JSON.Member("cuts", .integer(Int64(report.totalCuts))),
            JSON.Member("secondCuts", .integer(Int64(report.totalSecondCuts))),
            JSON.Member("failures", .integer(Int64(report.failureCount))),
            JSON.Member("oldProgramRan", .integer(Int64(report.oldProgram))),
            JSON.Member("newProgramRan", .integer(Int64(report.newProgram))),
            JSON.Member("messages", .array(report.failures.map { .string($0) })),
        ]
        return .object(members)
    }
}
