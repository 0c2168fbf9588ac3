import ArgumentParser
import IOCOM
import IOOperator
import NetworkConfiguration
import PackedJSON
import TerminalUI

/// `ispy config …`
struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Shows and changes the network configuration of a device.",
        discussion: """
            A device stores a new configuration and goes on with the old one until it restarts. Then the new one is on \
            trial: when the device does not reach its server with it in time, it goes back to the last good one by itself.
            """,
        subcommands: [ConfigShow.self, ConfigSet.self, ConfigEdit.self, ConfigBack.self])
}

/// What follows on a configuration that was stored, as `config set`, `edit` and `back` share it.
struct RestartOptions: ParsableArguments {
    @Flag(help: "Restart the device, and wait until the configuration is in force or the last good one is back.")
    var restart = false

    @Option(help: ArgumentHelp("Longest time for the restart and the trial.", valueName: "seconds"))
    var within = 300

    func validate() throws {
        if within < 1 || within > 86_400 { throw ValidationError("--within takes 1 to 86400 seconds") }
    }
}

/// What the commands for configurations have in common.
enum ConfigReport {
    /// Says what a document has wrong, field by field.
    static func failure(_ problems: ConfigurationProblems, of device: DevicePath) -> Failure {
        Failure(.failed, "the configuration is not valid, and that of \(device) is unchanged:\n\(problems)")
    }

    /// Stores a document after showing what changes, and asks unless `agreed`; restarts when that is wanted.
    static func store(
        _ document: JSON, over stored: ConfigurationEditor.Stored, of device: DevicePath, _ editor: ConfigurationEditor,
        _ connection: ConnectionOptions, restart: RestartOptions, dryRun: Bool, agreed: Bool
    ) async throws {
        let problems = NetworkSchema.problems(in: document)
        guard problems.isEmpty else { throw failure(ConfigurationProblems(problems), of: device) }
        let changes = ConfigurationDifference.between(stored.editable, document)
        guard !changes.isEmpty else {
            connection.note("nothing changes in the configuration of \(device)")
            return print(device, changes, "unchanged", nil, connection)
        }
        if !connection.json { for change in changes { for line in change.lines { Output.line(line) } } }
        if dryRun { return print(device, changes, "dryRun", nil, connection) }
        if !agreed, !Confirmation.isAgreed("Store this in \(device)?") {
            throw Failure(.failed, "nothing was changed in \(device); --yes does not ask")
        }
        do { try await editor.write(document, inPlaceOf: stored.own) } catch let error as ConfigurationProblems {
            throw failure(error, of: device)
        }
        guard restart.restart else {
            connection.note("stored in \(device); it counts after a restart: 'ispy reboot \(device)'")
            return print(device, changes, "saved", nil, connection)
        }
        connection.note("stored in \(device), which restarts now")
        var next = stored
        next.own = document
        let outcome = try await editor.putInForce(
            ConfigurationEditor.ExpectedName(next, now: device), seconds: Double(restart.within))
        try finish(outcome, device, changes, connection)
    }

    /// Reports how a restart with another configuration ended.
    static func finish(
        _ outcome: ConfigurationEditor.Outcome, _ device: DevicePath, _ changes: [ConfigurationDifference],
        _ connection: ConnectionOptions
    ) throws {
        switch outcome {
        case .inForce(let path):
            let name = path == device ? "" : " and is called \(path)"
            connection.note("\(device) is back\(name): the configuration is in force")
            print(path, changes, "inForce", nil, connection)
        case .putBack(let reason):
            print(device, changes, "putBack", reason, connection)
            throw Failure(.notInstalled, "\(device) went back to its last good configuration: \(reason)")
        case .unknown(let reason):
            print(device, changes, "unknown", reason, connection)
            throw Failure(.failed, reason)
        }
    }

    private static func print(
        _ device: DevicePath, _ changes: [ConfigurationDifference], _ result: String, _ reason: String?,
        _ connection: ConnectionOptions
    ) {
        guard connection.json else { return }
        let list: [JSONText] = changes.map { change in
            .object([
                ("path", .string(change.path)), ("before", .string(change.before)), ("after", .string(change.after)),
            ])
        }
        Output.json(
            .object([
                ("device", .string(device.description)), ("result", .string(result)), ("changes", .array(list)),
                ("reason", .string(reason)),
            ]))
    }
}
