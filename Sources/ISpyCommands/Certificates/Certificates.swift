import ArgumentParser

/// `ispy certificates …`
struct Certificates: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates",
        abstract: "Shows a server's certificate, and gives devices the authorities to trust.",
        subcommands: [CertificatesShow.self, CertificatesTrust.self])
}
