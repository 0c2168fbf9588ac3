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
    @Flag(help: "Print as JSON.") var json = false

    func run() throws {
        let folder = try ServerFolder.open(at: try data.folder())
        let text = json ? Self.json(folder, now: .now).text + "\n" : Self.report(folder, now: .now)
        Terminal.write(text, to: STDOUT_FILENO)
    }

    /// What people want to know.
    static func report(_ folder: ServerFolder, now: Date) -> String {
        func lines(_ title: String, _ certificate: CertificateFile) -> [String] {
            var lines = [
                title, "  subject      \(certificate.subject)", "  issuer       \(certificate.issuer)",
                "  valid        \(CertificateWords.time(certificate.notBefore)) to \(CertificateWords.time(certificate.notAfter))",
                "  days left    \(certificate.daysLeft(now: now))", "  SHA-256      \(certificate.fingerprint)",
            ]
            if !certificate.names.isEmpty {
                lines.append("  for          \(certificate.names.joined(separator: ", "))")
            }
            return lines
        }
        var all =
            lines("authority (\(folder.path)/trust.pem, for every device and operator)", folder.authority)
            + lines("server", folder.certificate)
        switch folder.authorityChange {
        case .none: break
        case .prepared(let next): all += lines("next authority (trusted already; take it with switch-ca)", next)
        case .switched(let previous):
            all += lines("authority before (still trusted; end that with retire-ca)", previous)
        }
        all.append("key of the authority: " + (folder.canSign ? "in the data folder" : "not in the data folder"))
        all += warnings(folder, now: now).map { "WARNING: \($0)" }
        return all.joined(separator: "\n") + "\n"
    }

    /// The same for programs.
    static func json(_ folder: ServerFolder, now: Date) -> JSONText {
        func object(_ certificate: CertificateFile) -> JSONText {
            .object([
                ("subject", .string(certificate.subject)), ("issuer", .string(certificate.issuer)),
                ("notBefore", .string(CertificateWords.time(certificate.notBefore))),
                ("notAfter", .string(CertificateWords.time(certificate.notAfter))),
                ("daysLeft", .number(certificate.daysLeft(now: now))),
                ("fingerprint", .string(certificate.fingerprint)),
                ("names", .array(certificate.names.map { .string($0) })),
            ])
        }
        var next = JSONText.null
        var previous = JSONText.null
        switch folder.authorityChange {
        case .none: break
        case .prepared(let certificate): next = object(certificate)
        case .switched(let certificate): previous = object(certificate)
        }
        return .object([
            ("server", object(folder.certificate)), ("authority", object(folder.authority)), ("nextAuthority", next),
            ("previousAuthority", previous), ("canSign", .bool(folder.canSign)),
            ("trusted", .array(folder.trusted.map { .string($0.fingerprint) })),
            ("warnings", .array(warnings(folder, now: now).map { .string($0) })),
        ])
    }

    /// What a running server would do or say about them.
    private static func warnings(_ folder: ServerFolder, now: Date) -> [String] {
        var watch = CertificateWatch()
        return watch.look(CertificateWatch.Facts(folder), now: now).map { finding in
            switch finding {
            case .problem(let text): text
            case .renew(let why):
                "the server's certificate should be renewed: \(why); a running frank does it by itself, or run: frank certificates renew --data \(folder.path)"
            }
        }
    }
}
