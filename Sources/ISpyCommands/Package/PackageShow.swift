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
        let windows = windowsPackage()
        if json {
            return Output.json(
                .object(
                    [("package", .string(package))] + Package.fields(signed?.manifest ?? manifest)
                        + [
                            ("product_code", .string(windows?.productCode)),
                            ("upgrade_code", .string(windows?.upgradeCode)),
                        ]
                        + [("key", .string(signed?.key.description)), ("signature", .string(state))]))
        }
        Output.line("organization  \(manifest.organization)")
        Output.line("application   \(manifest.application)")
        Output.line("version       \(manifest.version)")
        Output.line("for           \(manifest.os), \(manifest.hardware)")
        if let windows {
            Output.line("product       \(DisplayText.clean(windows.productName)) \(windows.productVersionText)")
            Output.line("product code  \(windows.productCode)")
            Output.line("upgrade code  \(windows.upgradeCode ?? "none")")
            if !windows.services.isEmpty { Output.line("services      \(windows.services.joined(separator: ", "))") }
        }
        Output.line("bytes         \(manifest.size)")
        Output.line("sha256        \(hexadecimal(manifest.sha256))")
        Output.line("signature     \(state)")
        if signed?.manifest.allowsDowngrade == true { Output.line("downgrade     allowed") }
    }

    private func windowsPackage() -> WindowsPackage? {
        guard case .windows(let windows)? = try? PackageInspection(path: package).kind else { return nil }
        return windows
    }
}
