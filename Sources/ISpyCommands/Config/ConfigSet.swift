import ArgumentParser
import IOCOM
import IOOperator
import NetworkConfiguration
import PackedJSON
import TerminalUI

/// `ispy config set DEVICE PATH=VALUE …`
struct ConfigSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Changes fields of the network configuration of a device.",
        discussion: """
            Paths are like network.device_nr or network.connect.0.parameters; the first entry of a list is number 0 and \
            'network.' may be left out. Passwords do not belong on a command line: 'ispy config edit' takes them.
            """)

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Argument(help: ArgumentHelp("Fields and their values.", valueName: "path=value"))
    var fields: [String] = []

    @Option(help: ArgumentHelp("Take a field or an entry away.", valueName: "path"))
    var remove: [String] = []

    @Flag(name: .customLong("dry-run"), help: "Only check and show what would change.")
    var dryRun = false

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var restart: RestartOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if fields.isEmpty && remove.isEmpty {
            throw ValidationError("say what to change: PATH=VALUE, or --remove PATH")
        }
        _ = try changes()
    }

    private func changes() throws -> [(path: FieldPath, value: String)] {
        try fields.map { field in
            guard let equals = field.firstIndex(of: "=") else {
                throw ValidationError("'\(field)' is not PATH=VALUE")
            }
            let path = try Self.path(String(field[..<equals]))
            return (path, String(field[field.index(after: equals)...]))
        }
    }

    private static func path(_ text: String) throws -> FieldPath {
        do throws(FieldProblem) { return try FieldPath(parsing: text) } catch { throw ValidationError("\(error)") }
    }

    func run() async throws {
        let path = device.path
        let changes = try changes()
        let removals = try remove.map(Self.path)
        try await connection.withOperator(waitingFor: path) { access in
            let editor = ConfigurationEditor(access, of: path)
            let stored = try await editor.read()
            var document = stored.editable
            do throws(FieldProblem) {
                // The last entry first, so that the numbers of the others stay right.
                for removal in removals.sorted(by: { $0.description > $1.description }) {
                    document = try removal.removing(from: document)
                }
                for change in changes {
                    document = try change.path.setting(change.value, in: document, defaults: stored.defaults)
                }
            } catch { throw ConfigReport.failure(ConfigurationProblems([error]), of: path) }
            try await ConfigReport.store(
                document, over: stored, of: path, editor, connection, restart: restart, dryRun: dryRun, agreed: yes)
        }
    }
}
