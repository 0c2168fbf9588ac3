import ArgumentParser
import ByteTools
import Glibc
import IOCOM
import IOOperator
import Programs
import TerminalUI

/// `ispy program write DEVICE [FILE | --newest]`
struct ProgramWrite: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write",
        abstract: "Writes a package into a device, and waits until the new program runs and has proved itself.",
        discussion: "Ctrl-C cancels; the device keeps its program.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Argument(help: ArgumentHelp("Package file.", valueName: "file"))
    var file: String?

    @Flag(help: "Take the newest package of the folder that fits.")
    var newest = false

    @Flag(help: "Also write a package that is not newer than the running program.")
    var force = false

    @Flag(help: "Only say what would happen.")
    var dryRun = false

    @Option(help: ArgumentHelp("How long to wait for restart and proof.", valueName: "seconds"))
    var timeout: Int = 300

    @OptionGroup var packages: PackagesOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if (file == nil) != newest { throw ValidationError("give either a package file or --newest") }
        if timeout < 1 || timeout > 86_400 { throw ValidationError("--timeout must be 1 to 86400 seconds") }
    }

    func run() async throws {
        // A wrong file is refused before anything is connected.
        let given = try file.map { path throws in
            guard access(path, F_OK) == 0 else { throw Failure(.notFound, "package \(path) does not exist") }
            return try PackageChoice(path: path)
        }
        try await connection.withOperator(waitingFor: device.path) { access in
            let summary = try await access.device(device.path)
            let package =
                try given ?? PackageChoice.newest(of: packages.list(), in: packages.folder, for: summary)
            try package.check(summary, force: force)
            let manifest = try package.manifest(for: summary)
            if dryRun { return report(nil, package, summary, text: "would write " + package.intent(summary)) }
            connection.note("writing " + package.intent(summary))
            try await write(package, manifest, summary, access)
        }
    }

    private func write(
        _ package: PackageChoice, _ manifest: SignedManifest?, _ summary: DeviceSummary, _ access: Operator
    ) async throws {
        let source: File
        do { source = try File(package.path, .read) } catch { throw Failure(.failed, String(describing: error)) }
        let progress = ProgressPrinter(connection, totalBytes: UInt64(package.inspection.size))
        var update = ProgramUpdate(access, device: device.path, version: package.inspection.versionText)
        update.manifest = manifest
        update.proofSeconds = Double(timeout)
        update.said = { progress.say($0) }
        let job = update
        let outcome = try await Interrupt.cancelling {
            try await job.run(source) { phase, bytes in progress.update(phase.rawValue, bytes) }
        } ended: {
            await progress.finish()
        }
        report(outcome, package, summary, text: nil)
        if outcome.result != .confirmed { try end(outcome) }
    }

    private func end(_ outcome: ProgramUpdate.Outcome) throws {
        // A device of the original has nothing but its code: when that says done, it is done as far as can be known.
        if outcome.result == .unknown && outcome.status == .completed { return }
        let text = outcome.reason ?? "the update of \(device.path) ended as \(outcome.result.rawValue)"
        throw Failure(outcome.result == .unknown ? .failed : .notInstalled, text)
    }

    private func report(
        _ outcome: ProgramUpdate.Outcome?, _ package: PackageChoice, _ summary: DeviceSummary, text: String?
    ) {
        if connection.json {
            return Output.json(
                .object([
                    ("device", .string(summary.path)), ("package", .string(package.path)),
                    ("result", .string(outcome?.result.rawValue ?? "dryRun")),
                    ("version", .string(outcome == nil ? package.inspection.versionText : outcome?.version)),
                    ("previous", .string(outcome?.previous ?? summary.version)),
                    ("bytes", .number(outcome?.bytes ?? UInt64(package.inspection.size))),
                    ("seconds", .number(outcome?.seconds ?? 0)), ("reason", .string(outcome?.reason ?? text)),
                ]))
        }
        if let text { return Output.line(text) }
        guard let outcome else { return }
        let time = Readable.duration(.milliseconds(Int64(outcome.seconds * 1000)))
        switch outcome.result {
        case .confirmed:
            Output.line(
                "\(summary.path) runs \(outcome.version ?? package.inspection.versionText), confirmed (before: \(outcome.previous ?? "unknown")) after \(time)"
            )
            if let reason = outcome.reason { connection.note(reason) }
        case .rolledBack:
            Output.line("\(summary.path) rolled back to \(outcome.version ?? "its previous program") after \(time)")
        case .refused, .failed:
            Output.line("\(summary.path) was not updated; it runs \(outcome.version ?? "what it ran before")")
        case .unknown: Output.line("\(summary.path): \(outcome.reason ?? "the result is not known")")
        }
    }
}
