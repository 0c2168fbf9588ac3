import ArgumentParser
import FoundationEssentials
import Glibc
import ServerData
import TerminalUI

/// `frank certificates …`
struct CertificatesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates", abstract: "The server's certificates: show, renew, change the authority.",
        discussion: """
            A running server takes changes within a few seconds, without a restart; connections go on. The authority (CA) \
            is changed in steps: new-ca, then trust.pem to every device and operator, switch-ca, retire-ca.
            """,
        subcommands: [
            CertificatesShow.self, CertificatesRenew.self, CertificatesNewCA.self, CertificatesSwitchCA.self,
            CertificatesRetireCA.self,
        ])

    /// Opens the folder for a change; `body` runs while no other process changes certificates.
    static func change<Value>(
        _ data: DataFolderOption, _ body: (inout ServerFolder) throws -> Value
    ) throws -> Value {
        let path = try data.folder()
        _ = try ServerFolder.open(at: path)
        let lock = try ServerFolder.lockCertificates(at: path)
        defer { withExtendedLifetime(lock) {} }
        var folder = try ServerFolder.open(at: path)
        return try body(&folder)
    }

    static func say(_ lines: [String]) { Terminal.write(lines.joined(separator: "\n") + "\n", to: STDOUT_FILENO) }
}

/// A question that has to be answered with yes before something is done that may lock others out.
struct Confirmation: ParsableArguments {
    @Flag(help: "Do it without asking.") var yes = false

    /// Asks where somebody can answer; throws when the answer is not yes.
    func ask(_ warning: String) throws {
        guard !yes else { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw ValidationError("\(warning)\nAdd --yes to do it without being asked; nothing was changed.")
        }
        Terminal.write("\(warning)\nGo on? [y/N] ", to: STDERR_FILENO)
        guard ["y", "yes"].contains((readLine() ?? "").lowercased()) else {
            throw NotConfirmed()
        }
    }
}

/// Somebody was asked and did not say yes.
struct NotConfirmed: Error, CustomStringConvertible {
    let description = "nothing was changed"
}
