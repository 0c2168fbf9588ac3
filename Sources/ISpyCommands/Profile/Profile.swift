import ArgumentParser
import TerminalUI

/// `ispy profile …`: connections saved under names; passwords are never saved.
struct Profile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Saves connections under names, without passwords.",
        subcommands: [ProfileSave.self, ProfileList.self, ProfileRemove.self])

    /// Runs `body` with errors told as this program does.
    static func store<Value>(_ body: (ProfileStore) throws(ProfileError) -> Value) throws -> Value {
        do throws(ProfileError) { return try body(try ProfileStore.standard()) } catch {
            throw Failure(.failed, String(describing: error))
        }
    }
}

/// `ispy profile save NAME`
struct ProfileSave: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "save", abstract: "Saves a connection.")

    @Argument(help: "Name for it.")
    var name: String

    @Option(help: ArgumentHelp("Server: tls://host[:6369] or tcp://host[:6368].", valueName: "url"))
    var connect: String

    @Option(help: ArgumentHelp("User and network.", valueName: "user.network"))
    var user: String?

    @Option(help: ArgumentHelp("File with the certificates to trust.", valueName: "file"))
    var trust: String?

    func run() throws {
        try Profile.store { store throws(ProfileError) in
            try store.save(ConnectionProfile(connect: connect, user: user, trust: trust), as: name)
        }
    }
}

/// `ispy profile list`
struct ProfileList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists saved connections.")

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
        let all = try Profile.store { store throws(ProfileError) in try store.all() }
        if json {
            return Output.json(
                .lines(
                    all.map { entry in
                        .object([
                            ("name", .string(entry.name)), ("connect", .string(entry.profile.connect)),
                            ("user", .string(entry.profile.user)), ("trust", .string(entry.profile.trust)),
                        ])
                    }))
        }
        var table = Table(["name", .init("connect", keepsWhole: true), "user", "trust"])
        for entry in all {
            table.add([entry.name, entry.profile.connect, entry.profile.user ?? "-", entry.profile.trust ?? "-"])
        }
        Output.table(table)
    }
}

/// `ispy profile remove NAME`
struct ProfileRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forgets a saved connection.")

    @Argument(help: "Its name.")
    var name: String

    func run() throws {
        try Profile.store { store throws(ProfileError) in try store.remove(name) }
    }
}
