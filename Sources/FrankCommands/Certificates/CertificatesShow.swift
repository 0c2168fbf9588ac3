import ArgumentParser
import FoundationEssentials
import Glibc
import ServerData
import TerminalUI

/// `frank certificates show`
struct CertificatesShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows the authority's and the server's certificate.")

    @OptionGroup var data: DataFolderOption

    func run() throws {
        let folder = try ServerFolder.open(at: try data.folder())
        Terminal.write(Self.report(folder, now: Date()), to: STDOUT_FILENO)
    }

    /// What people want to know.
    static func report(_ folder: ServerFolder, now: Date) -> String {
        func lines(_ title: String, _ certificate: CertificateFile) -> [String] {
            var lines = [
                title, "  subject      \(certificate.subject)", "  issuer       \(certificate.issuer)",
                "  valid        \(certificate.notBefore.formatted(.iso8601)) to \(certificate.notAfter.formatted(.iso8601))",
                "  SHA-256      \(certificate.fingerprint)",
            ]
            if !certificate.names.isEmpty {
                lines.append("  for          \(certificate.names.joined(separator: ", "))")
            }
            if certificate.isOutOfDate(now: now) {
                lines.append("  WARNING: it is not valid now; nobody who checks it connects")
            } else if certificate.needsRenewal(now: now) {
                lines.append("  It ends soon and should be renewed.")
            }
            return lines
        }
        let all =
            lines("authority (\(folder.path)/trust.pem, for every device and operator)", folder.authority)
            + lines("server", folder.certificate)
        return all.joined(separator: "\n") + "\n"
    }
}
