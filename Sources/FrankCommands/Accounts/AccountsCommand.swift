import Access
import ArgumentParser
import Glibc
import IOCOM
import ServerData
import TerminalUI

/// `frank accounts …`: accounts of the data folder, while the server is stopped or runs.
struct AccountsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts",
        abstract: "Who may log in: devices and operators of each published network.",
        discussion: "A running server takes a change at the next login.",
        subcommands: [AccountsAdd.self, AccountsList.self, AccountsRemove.self])
}

/// Which accounts are meant.
struct AccountsOptions: ParsableArguments {
    @OptionGroup var data: DataFolderOption
    @Option(help: "Network; default: the server's own.") var network: String?

    /// The folder and the network, checked.
    func open() throws -> (folder: ServerFolder, network: NetworkName) {
        let folder = try ServerFolder.open(at: try data.folder())
        guard let name = network else { return (folder, folder.settings.network) }
        guard let network = NetworkName(name), folder.settings.publish.contains(network) else {
            let published = folder.settings.publish.map { "\($0)" }.joined(separator: ", ")
            throw ValidationError("network '\(name)' is not published by this server; it publishes \(published)")
        }
        return (folder, network)
    }
}

/// `frank accounts add USER`
struct AccountsAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Adds an account, or gives an existing one a new password.",
        discussion: """
            A device logs in with its name and number, like candy3. The password is asked for, or comes from
            --password-file or the environment variable FRANK_NEW_PASSWORD.
            """)

    @Argument(help: "User name or pattern with * and ?, like candy3.") var user: String
    @Option(help: "Role: viewer, operator, engineer, admin or server; nothing for a device.") var privileges = ""
    @Option(help: "File with the password; only its owner may be able to read it.") var passwordFile: String?
    @OptionGroup var accounts: AccountsOptions

    func validate() throws {
        guard privileges.isEmpty || Role(privileges: privileges) != nil else {
            let names = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("'\(privileges)' is no role; there are \(names)")
        }
    }

    func run() throws {
        func password(_ prompt: String) throws -> Password {
            try PasswordSource.chosen(file: passwordFile, variable: "FRANK_NEW_PASSWORD", prompt: prompt).read()
        }
        // Before this process becomes the owner of the folder, who may not be able to read the file.
        let given = try passwordFile.map { _ in try password("") }
        let (folder, network) = try accounts.open()
        let secret = try given ?? password("New password of \(user).\(network): ")
        let stored = try PasswordHash.protect(password: secret.secret)
        var document = try folder.accounts(of: network)
        let account = Account(user: user, password: stored, privileges: privileges)
        if let index = document.users.firstIndex(where: { $0.user == user }) {
            document.users[index] = account
        } else {
            document.users.append(account)
        }
        try folder.save(document, of: network)
        Terminal.write("\(user) may log in on \(network)\n", to: STDOUT_FILENO)
    }
}

/// `frank accounts list`
struct AccountsList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the accounts of a network.")

    @OptionGroup var accounts: AccountsOptions
    @Flag(help: "Print as JSON.") var json = false

    func run() throws {
        let (folder, network) = try accounts.open()
        let users = try folder.accounts(of: network).users
        if json {
            let rows = users.map { user in
                JSONText.object([
                    ("user", .string(user.user)), ("network", .string(network.description)),
                    ("privileges", .string(user.privileges)),
                ])
            }
            Terminal.write(JSONText.lines(rows).text + "\n", to: STDOUT_FILENO)
            return
        }
        var table = Table(["user", "network", "privileges"])
        for user in users { table.add([user.user, network.description, user.privileges]) }
        Terminal.write(table.draw(width: Terminal.width(STDOUT_FILENO)), to: STDOUT_FILENO)
    }
}

/// `frank accounts remove USER`
struct AccountsRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Removes an account.")

    @Argument(help: "User name or pattern as it is listed.") var user: String
    @OptionGroup var accounts: AccountsOptions

    func run() throws {
        let (folder, network) = try accounts.open()
        var document = try folder.accounts(of: network)
        let count = document.users.count
        document.users.removeAll { $0.user == user }
        guard document.users.count < count else {
            throw ValidationError("network \(network) has no account '\(user)'; 'frank accounts list' shows them")
        }
        try folder.save(document, of: network)
        Terminal.write("\(user) may no longer log in on \(network)\n", to: STDOUT_FILENO)
    }
}
