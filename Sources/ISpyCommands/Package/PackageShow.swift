import ArgumentParser
import ByteTools
import Programs
import TerminalUI

/// `ispy package show PACKAGE`
struct PackageShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Says what a package is, by its name, its content and its manifest.")

    @Argument(help: ArgumentHelp("Package file.", valueName: "package"))
    var package: String

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
        try Package.requireFile(package)
        let manifest: PackageManifest
        do { manifest = try PackageManifest(file: package) } catch { throw Failure(.failed, "\(package): \(error)") }
        let signed = try Package.signed(package)
        var state = "not signed"
        if let signed {
            let isSame = signed.manifest.size == manifest.size && signed.manifest.sha256 == manifest.sha256
            state =
                isSame
                ? "signed with \(signed.key), not verified here ('ispy package verify' does that)"
                : "its manifest is of other bytes"
        }
        if json {
            return Output.json(
                .object(
                    [("package", .string(package))] + Package.fields(signed?.manifest ?? manifest)
                        + [("key", .string(signed?.key.description)), ("signature", .string(state))]))
        }
        Output.line("organization  \(manifest.organization)")
        Output.line("application   \(manifest.application)")
        Output.line("version       \(manifest.version)")
        Output.line("for           \(manifest.os), \(manifest.hardware)")
        Output.line("bytes         \(manifest.size)")
        Output.line("sha256        \(hexadecimal(manifest.sha256))")
        Output.line("signature     \(state)")
        if signed?.manifest.allowsDowngrade == true { Output.line("downgrade     allowed") }
    }
}
