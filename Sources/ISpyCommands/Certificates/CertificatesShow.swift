import ArgumentParser
import FoundationEssentials
import IOCOMTransport
import ServerData
import TerminalUI

/// `ispy certificates show`
struct CertificatesShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows the certificate that a server shows, and whether it is trusted here.",
        discussion: "Nobody logs in and nothing is sent. Exit code 1 when the certificate is not trusted.")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (address, settings) = try connection.server()
        let look = try await CertificateLook.take(address)
        let verdict = try await look.judge(settings)
        let objection = look.objection(verdict, settings)
        if connection.json {
            Output.json(Self.json(look, verdict, objection))
        } else {
            for line in Self.lines(look, objection, settings) { Output.line(line) }
        }
        if let objection { throw Failure(.failed, objection) }
    }

    private static func lines(_ look: CertificateLook, _ objection: String?, _ settings: TLSClientSettings) -> [String]
    {
        var lines = ["server       \(look.address)"]
        for certificate in look.chain {
            lines += [
                certificate.isAuthority ? "authority" : "certificate", "  subject    \(certificate.subject)",
                "  issuer     \(certificate.issuer)",
                "  valid      \(CertificateWords.time(certificate.notBefore)) to \(CertificateWords.time(certificate.notAfter))",
                "  days left  \(certificate.daysLeft(now: .now))", "  SHA-256    \(certificate.fingerprint)",
            ]
            if !certificate.names.isEmpty { lines.append("  for        \(certificate.names.joined(separator: ", "))") }
        }
        let file = settings.trustFile ?? "this machine's store of authorities"
        lines.append("trusted      " + (objection == nil ? "yes, by \(file)" : "no"))
        return lines
    }

    private static func json(_ look: CertificateLook, _ verdict: CertificateVerdict, _ objection: String?) -> JSONText {
        .object([
            ("server", .string(look.address.description)),
            (
                "chain",
                .array(
                    look.chain.map { certificate in
                        .object([
                            ("subject", .string(certificate.subject)), ("issuer", .string(certificate.issuer)),
                            ("notBefore", .string(CertificateWords.time(certificate.notBefore))),
                            ("notAfter", .string(CertificateWords.time(certificate.notAfter))),
                            ("daysLeft", .number(certificate.daysLeft(now: .now))),
                            ("fingerprint", .string(certificate.fingerprint)),
                            ("names", .array(certificate.names.map { .string($0) })),
                        ])
                    })
            ),
            ("trusted", .bool(objection == nil)), ("finding", .string(Self.word(verdict))),
            ("reason", .string(objection)),
        ])
    }

    /// One word for programs.
    static func word(_ verdict: CertificateVerdict) -> String {
        switch verdict {
        case .trusted: "trusted"
        case .outOfDate: "out of date"
        case .otherHost: "other host"
        case .untrusted: "untrusted"
        case .unreadable: "unreadable"
        }
    }
}
