import ArgumentParser
import FoundationEssentials
import ServerData

/// `frank certificates new-ca`
struct CertificatesNewCA: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new-ca",
        abstract: "Makes the next authority and adds it to trust.pem; the present one stays in force.")

    @OptionGroup var data: DataFolderOption

    func run() throws {
        let (folder, isNew) = try CertificatesCommand.change(data) { folder in
            let isNew = try folder.makeNextAuthority(now: .now)
            return (folder, isNew)
        }
        let next = folder.authorityChange.other
        CertificatesCommand.say([
            isNew ? "Made the next authority" : "There is a next authority already; nothing was changed",
            "  name         \(next?.subject ?? "")",
            "  SHA-256      \(next?.fingerprint ?? "")",
            "  valid until  \(next.map { CertificateWords.time($0.notAfter) } ?? "")",
            "\(folder.path)/trust.pem holds both now.",
            "",
            "Next: give it to every operator, and to the devices with",
            "  ispy certificates trust --all --file trust.pem --connect tls://HOST --trust trust.pem",
            "When all have it: frank certificates switch-ca",
        ])
    }
}
