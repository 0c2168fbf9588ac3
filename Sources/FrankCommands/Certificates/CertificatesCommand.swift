import ArgumentParser

/// `frank certificates`
struct CertificatesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates", abstract: "The server's certificates.", subcommands: [CertificatesShow.self])
}
