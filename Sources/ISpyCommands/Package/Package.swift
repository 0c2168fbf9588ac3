import ArgumentParser
import ByteTools
import Programs
import TerminalUI

/// `ispy package …`
struct Package: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "package", abstract: "Names, signs and examines packages.",
        subcommands: [
            PackageMakeDeb.self, PackageMakeImage.self, PackageCopy.self, PackageKeygen.self, PackageSign.self,
            PackageVerify.self,
            PackageShow.self,
        ])

    /// The signed manifest beside a package; nil when there is none.
    static func signed(_ path: String) throws -> SignedManifest? {
        do { return try SignedManifest.read(beside: path) } catch { throw Failure(.failed, error.description) }
    }

    /// Ends when there is no such file.
    static func requireFile(_ path: String) throws {
        guard case .file = Folder.entry(path) else {
            throw Failure(.notFound, "package \(path) does not exist, or is not a regular file")
        }
    }

    /// What a manifest says, for `--json`.
    static func fields(_ manifest: PackageManifest) -> [(String, JSONText)] {
        [
            ("organization", .string(manifest.organization)), ("application", .string(manifest.application)),
            ("version", .string(manifest.version.description)), ("os", .string(manifest.os)),
            ("hardware", .string(manifest.hardware)), ("bytes", .number(manifest.size)),
            ("sha256", .string(hexadecimal(manifest.sha256))), ("downgrade", .bool(manifest.allowsDowngrade)),
        ]
    }
}
