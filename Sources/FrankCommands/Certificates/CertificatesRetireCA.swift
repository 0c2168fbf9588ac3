import ArgumentParser
import FoundationEssentials
import ServerData

/// `frank certificates retire-ca`
struct CertificatesRetireCA: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire-ca",
        abstract: "Ends the change of the authority: the one before leaves trust.pem and its key is destroyed.",
        discussion:
            "There is no way back after that. Copies of the key that are kept elsewhere have to be destroyed there.")

    @OptionGroup var data: DataFolderOption
    @OptionGroup var confirmation: Confirmation

    func run() throws {
        let before = try ServerFolder.open(at: try data.folder())
        if case .switched(let previous) = before.authorityChange {
            try confirmation.ask("The key of \(previous.subject) is destroyed; there is no way back to it.")
        }
        let (folder, retired) = try CertificatesCommand.change(data) { folder in
            let retired = try folder.retireAuthority()
            return (folder, retired)
        }
        guard let retired else {
            return CertificatesCommand.say([
                "Nothing to do: \(folder.authority.subject) is the only authority of this server."
            ])
        }
        CertificatesCommand.say([
            "Retired the authority \(retired.subject)",
            "  SHA-256      \(retired.fingerprint)",
            "Its key is destroyed here; destroy copies and backups of it too.",
            "",
            "Next: give trust.pem once more to every operator, and to the devices with",
            "  ispy certificates trust --all --file trust.pem --connect tls://HOST --trust trust.pem",
            "Whoever keeps the old trust.pem still trusts the old authority as well.",
        ])
    }
}
