import ArgumentParser
import FoundationEssentials
import ServerData

/// `frank certificates renew`
struct CertificatesRenew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew",
        abstract: "Renews the server's certificate; devices and operators notice nothing of it.",
        discussion: "Signed by the present authority, whose key has to be in the data folder.")

    @OptionGroup var data: DataFolderOption
    @Option(
        name: .customLong("host"),
        help: "Host name or address this server is reached under, in place of the present ones. May be repeated.")
    var hosts: [String] = []
    @Flag(help: "Also make a new private key for the server.") var newKey = false

    func run() throws {
        let certificate = try CertificatesCommand.change(data) { folder in
            let names = hosts.isEmpty ? nil : try ServerNames(hosts)
            try folder.renewCertificate(names: names, newKey: newKey, now: .now)
            return folder.certificate
        }
        CertificatesCommand.say([
            "Renewed the server's certificate" + (newKey ? " and its private key" : ""),
            "  valid until  \(CertificateWords.time(certificate.notAfter))",
            "  for          \(certificate.names.joined(separator: ", "))",
            "  SHA-256      \(certificate.fingerprint)",
            "A running frank takes it within a few seconds. trust.pem is the same as before.",
        ])
    }
}
