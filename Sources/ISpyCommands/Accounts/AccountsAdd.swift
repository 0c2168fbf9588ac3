import Access
import ArgumentParser
import Glibc
import IOCOM
import IOOperator
import ServerData
import TerminalUI

/// Role and new password of an account, as options.
struct AccountOptions: ParsableArguments {
    @Option(help: "viewer, operator, engineer, admin, server, or device.")
    var role: String?

    @Option(help: ArgumentHelp("File with the new password; only its owner may be able to read it.", valueName: "file"))
    var newPasswordFile: String?

    func validate() throws {
        guard role.map({ Role(privileges: $0) != nil }) ?? true else {
            let names = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("'\(role ?? "")' is no role; there are \(names)")
        }
    }

    /// The text that the document has for a role: none for a device, as the original writes it.
    static func privileges(_ role: String?) -> String { role == nil || role == "device" ? "" : role ?? "" }

    func password(_ user: String) throws -> String {
        do throws(TerminalUI.PasswordError) {
            return try PasswordSource.chosen(
                file: newPasswordFile, variable: "ISPY_NEW_PASSWORD", prompt: "New password of \(user): "
            ).read().secret
        } catch { throw Failure(.failed, String(describing: error)) }
    }
}

/// `ispy accounts add NETWORK USER`
struct AccountsAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds an account for a person, a server, or a device with a known password.",
        discussion: """
            The new password is asked for, or comes from --new-password-file or ISPY_NEW_PASSWORD. It is hashed here and never
            travels. A device that makes its own password is let in with 'ispy accounts accept'.
            """)

    @Argument(help: .network) var network: NetworkArgument
    @Argument(help: ArgumentHelp("User, or a pattern with * and ?.", valueName: "user")) var user: String
    @OptionGroup var account: AccountOptions
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withOperator { access in
            let accounts = try await access.accounts(of: network.name)
            let stored = try await accounts.protect(try account.password("\(user).\(network.name)"))
            try await accounts.change { document in
                guard !document.users.contains(where: { $0.user == user }) else {
                    throw Failure(
                        .failed,
                        "network \(network.name) has an account '\(user)'; 'ispy accounts change' changes it")
                }
                document.users.append(
                    Account(user: user, password: stored, privileges: AccountOptions.privileges(account.role)))
            }
        }
        connection.note("\(user) may log in on \(network.name) as \(account.role ?? Role.device.rawValue)")
    }
}

/// `ispy accounts change NETWORK USER`
struct AccountsChange: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "change", abstract: "Gives an account another role, with --password another password.")

    @Argument(help: .network) var network: NetworkArgument
    @Argument(help: ArgumentHelp("User or pattern as it is listed.", valueName: "user")) var user: String
    @Flag(help: "Also give it a new password.") var password = false
    @OptionGroup var account: AccountOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if account.role == nil && !password && account.newPasswordFile == nil {
            throw ValidationError("say what to change: --role ROLE, --password or both")
        }
    }

    func run() async throws {
        try await connection.withOperator { access in
            let accounts = try await access.accounts(of: network.name)
            let hasPassword = password || account.newPasswordFile != nil
            let stored =
                hasPassword ? try await accounts.protect(try account.password("\(user).\(network.name)")) : nil
            try await accounts.change { document in
                guard let index = document.users.firstIndex(where: { $0.user == user }) else {
                    throw Failure(.notFound, "network \(network.name) has no account '\(user)'")
                }
                if let role = account.role { document.users[index].privileges = AccountOptions.privileges(role) }
                if let stored { document.users[index].password = stored }
            }
        }
        connection.note("the account '\(user)' of \(network.name) is changed; it counts at the next login")
    }
}
