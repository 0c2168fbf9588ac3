import ArgumentParser
import FoundationEssentials
import ServerData

/// `frank certificates switch-ca`
struct CertificatesSwitchCA: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switch-ca",
        abstract: "Gives the server a certificate of the next authority; both stay trusted.",
        discussion: """
            Devices and operators that do not trust the next authority can't connect from then on: not even to be given \
            it. --back undoes it.
            """)

    @OptionGroup var data: DataFolderOption
    @OptionGroup var confirmation: Confirmation
    @Flag(help: "Go back to the authority before.") var back = false

    func run() throws {
        // Before the folder is locked: a person may think for long.
        let before = try ServerFolder.open(at: try data.folder())
        if case .prepared(let next) = before.authorityChange, !back {
            try confirmation.ask(
                """
                Whoever does not trust the next authority, \(next.subject), can't connect to this server any more.
                Which devices trust it can't be told from here; ask them with: ispy certificates trust --show --all --connect tls://HOST
                """)
        }
        let (folder, isDone) = try CertificatesCommand.change(data) { folder in
            let isDone = back ? try folder.switchAuthorityBack(now: .now) : try folder.switchAuthority(now: .now)
            return (folder, isDone)
        }
        var lines = [
            (isDone
                ? "The server's certificate is now signed by "
                : "Nothing to do: the server's certificate is signed by ")
                + folder.authority.subject,
            "  valid until  \(CertificateWords.time(folder.certificate.notAfter))",
            "  SHA-256      \(folder.certificate.fingerprint)",
            "A running frank takes it within a few seconds; connections that exist go on. Both authorities stay trusted.",
            "",
        ]
        if case .switched = folder.authorityChange {
            lines += [
                "Devices that are missing now do not trust the new authority; bring them back with: frank certificates switch-ca --back",
                "When all are there: frank certificates retire-ca",
            ]
        } else {
            lines.append("Give trust.pem to the devices that lack it, then run: frank certificates switch-ca")
        }
        CertificatesCommand.say(lines)
    }
}
