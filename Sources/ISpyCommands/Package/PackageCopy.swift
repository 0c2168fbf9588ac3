import ArgumentParser
import ByteTools
import Programs
import TerminalUI

/// `ispy package copy FILE`
struct PackageCopy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copies a compiled program into the packages folder under its right name.",
        discussion: "Application, version and system are read from the file; it must say them itself.")

    @Argument(
        help: ArgumentHelp(
            "Program file: an ESP32 image, a Debian package or a Windows Installer package.", valueName: "file"))
    var file: String

    @Option(help: "Who made the program; iocafe when neither this nor the file says it.")
    var organization: String?

    @Option(help: "Hardware it is for, like espcam; a Debian or Windows package says it itself.")
    var hardware: String?

    @OptionGroup var packages: PackagesOption

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
        guard case .file = Folder.entry(file) else {
            throw Failure(.notFound, "\(file) does not exist, or is not a regular file")
        }
        let inspection: PackageInspection
        do { inspection = try PackageInspection(path: file) } catch {
            throw Failure(.failed, "\(file) is no program: \(error)")
        }
        let name = try name(inspection)
        if let contradiction = inspection.contradictions(to: name).first { throw Failure(.failed, contradiction) }
        let folder = packages.folder + "/" + name.os
        let target = folder + "/" + name.description
        do throws(StorageFailure) {
            try Folder.make(folder)
            try ReplacementFile.copy(try File(file, .read), size: inspection.size, to: target, isPublic: true)
        } catch { throw Failure(.failed, error.description) }
        if json { return Output.json(.object([("package", .string(target)), ("bytes", .number(inspection.size))])) }
        Output.line(target)
    }

    private func name(_ inspection: PackageInspection) throws -> PackageName {
        guard let version = inspection.version else {
            throw Failure(
                .failed, "\(file) says version '\(inspection.versionText)': a version is YYMMDD-HHMM, like 261124-1200")
        }
        guard let hardware = inspection.hardware ?? hardware else {
            throw Failure(.usage, "\(file) does not say which board it is for: give --hardware, like espcam")
        }
        do {
            let (fileExtension, said): (String, String?) =
                switch inspection.kind {
                case .debian: ("deb", nil)
                case .windows(let package): ("msi", package.organization)
                case .teensy: ("hex", nil)
                case .esp32, .microcontroller: ("bin", nil)
                }
            return try PackageName(
                organization: organization ?? said ?? "iocafe", application: inspection.application, version: version,
                os: inspection.os, hardware: hardware, fileExtension: fileExtension)
        } catch { throw Failure(.failed, "\(file) can't be named: \(error)") }
    }
}
