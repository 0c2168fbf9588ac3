import Access
import ArgumentParser
import Glibc
import IOCOM
import IOOperator
import ServerData
import TerminalUI

/// `ispy accounts …`
struct AccountsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "Shows and changes who may log in at the server: people and devices.",
        discussion: """
            For administrators of the network. Roles: viewer (sees), operator (also sets signals and reads blocks), engineer
            (also configures devices and writes programs), admin (everything), server; an account without role is a device's.
            """,
        subcommands: [
            AccountsList.self, AccountsWaiting.self, AccountsAccept.self, AccountsAdd.self, AccountsChange.self,
            AccountsRemove.self,
        ])
}

/// The network meant, as an argument.
struct NetworkArgument: ExpressibleByArgument {
    let name: NetworkName

    init?(argument: String) {
        guard let name = NetworkName(argument), !name.isEmpty else { return nil }
        self.name = name
    }
}

extension ArgumentHelp {
    /// Help of the argument NETWORK.
    static let network = ArgumentHelp("IO network, like cafenet.", valueName: "network")
}

/// `ispy accounts list NETWORK`
struct AccountsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the accounts of a network.")

    @Argument(help: .network) var network: NetworkArgument
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let accounts = try await connection.withOperator {
            try await $0.accounts(of: network.name).read().accounts
        }
        if connection.json {
            return Output.json(
                .lines(
                    accounts.users.map { user in
                        .object([
                            ("user", .string(user.user)), ("network", .string(network.name.description)),
                            ("role", .string(user.role.rawValue)), ("privileges", .string(user.privileges)),
                            ("password", .string(Self.password(user))),
                        ])
                    }))
        }
        var table = Table(["user", "role", "password"])
        for user in accounts.users { table.add([user.user, user.role.rawValue, Self.password(user)]) }
        Output.table(table)
        if !accounts.whitelist.isEmpty {
            connection.note("\(accounts.whitelist.count) ranges of addresses are let in without a password")
        }
    }

    /// What is stored, never the hash.
    private static func password(_ account: Account) -> String {
        switch PasswordHash(stored: account.password) {
        case .any: "any"
        case .empty: "none"
        case .original: "old hash"
        case .slow: "set"
        case .unusable: "unusable"
        }
    }
}

/// `ispy accounts waiting NETWORK`
struct AccountsWaiting: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waiting", abstract: "Shows who was refused and waits to be let in, with the code to compare.")

    @Argument(help: .network) var network: NetworkArgument
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let waiting = try await connection.withOperator { try await $0.accounts(of: network.name).waiting() }
        if connection.json {
            return Output.json(
                .lines(
                    waiting.map { device in
                        .object([
                            ("name", .string(device.name)), ("network", .string(network.name.description)),
                            ("reason", .string(device.reason)), ("address", .string(device.address)),
                            ("attempts", .number(device.attempts)), ("code", .string(device.code?.description)),
                        ])
                    }))
        }
        guard !waiting.isEmpty else {
            return connection.note("nobody waits; a device that is refused is shown while it goes on trying")
        }
        var table = Table(["name", "why", "address", "attempts", .init("code", keepsWhole: true)])
        for device in waiting {
            table.add([
                device.name, device.reason.lowercased(), device.address, "\(device.attempts)",
                device.code?.description ?? "-",
            ])
        }
        Output.table(table)
    }
}

/// `ispy accounts remove NETWORK USER`
struct AccountsRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes an account and ends its connections.")

    @Argument(help: .network) var network: NetworkArgument
    @Argument(help: ArgumentHelp("User or pattern as it is listed.", valueName: "user")) var user: String
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withOperator { access in
            try await access.accounts(of: network.name).change { accounts in
                let count = accounts.users.count
                accounts.users.removeAll { $0.user == user }
                guard accounts.users.count < count else {
                    throw Failure(.notFound, "network \(network.name) has no account '\(user)'")
                }
            }
        }
        connection.note("\(user) may no longer log in on \(network.name)")
    }
}
