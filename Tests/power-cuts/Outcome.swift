import ByteTools
import Installers
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
        if TeensyImage.isHex(program) {
            image = nil
            do {
                let found = try TeensyImage(checking: ArraySource(program))
                let size = found.bytes.count + 0xFFF & ~0xFFF
                let target = TeensyUnderTest(
                    found.board, application: found.image.application, programSize: max(32 << 10, size),
                    pageSize: pageSize)
                let new = TestPackage(version: found.image.version, bytes: program, program: found.bytes)
                report = try PowerCutCampaign(target, installing: new).run()
                refusal = nil
            } catch {
                report = nil
                refusal = "\(error)"
            }
            seconds = Self.seconds(since: start)
            return
        }
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
        seconds = Self.seconds(since: start)
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let duration = start.duration(to: .now).components
        return Double(duration.seconds) + Double(duration.attoseconds / 1_000_000_000_000_000) / 1000
    }

    /// Boards on exact models.
    static let boards = STM32Profile.all.map(\.name) + TeensyBoard.all.map(\.name)

    /// Operations are pages there, and all are tried.
    private static func teensy(_ name: String) throws -> any InstallerUnderTest {
        guard let board = TeensyBoard.named(name) else { throw ContractBreach("there is no board \(name)") }
        return TeensyUnderTest(board, pageSize: 256)
    }

    /// Runs the campaign with a board.
    init(board name: String, every stride: Int) {
        path = name
        image = nil
        let clock = ContinuousClock()
        let start = clock.now
        var size = 0
        do {
            let target: any InstallerUnderTest =
                switch STM32Profile.named(name) {
                case .f405?: STM32UnderTest(.f405, as: STM32FiveAreaBoard.self, stride: stride)
                case let profile?: STM32UnderTest(profile, as: STM32DualBankBoard.self, stride: stride)
                case nil: try Self.teensy(name)
                }
            size = try target.package("260102-0000").bytes.count
            report = try PowerCutCampaign(target).run()
            refusal = nil
        } catch {
            report = nil
            refusal = "\(error)"
        }
        self.size = size
        seconds = Self.seconds(since: start)
    }

    /// For a person.
    var text: String {
        guard let report else { return "\(path): not installed: \(refusal ?? "")" }
        let what = image.map { "\($0.chip), \($0.application.project) \($0.application.version), " } ?? ""
        var lines = [
            "\(path): \(what)\(size) bytes",
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
        guard let report else {
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
        if let image {
            members += [
                JSON.Member("chip", .string("\(image.chip)")),
                JSON.Member("project", .string(image.application.project)),
                JSON.Member("version", .string(image.application.version)),
            ]
        }
        members += [
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
