import ArgumentParser
import DeviceDescription
import IOOperator
import TerminalUI

/// `ispy program status DEVICE`
struct ProgramStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Tells which program runs, which ran before, and how the latest update ended.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let summary = try await connection.withOperator(waitingFor: device.path) { try await $0.device(device.path) }
        let update = summary.update
        if connection.json {
            return Output.json(
                .object([
                    ("device", .string(summary.path)), ("application", .string(summary.application)),
                    ("version", .string(summary.version)), ("previous", .string(update?.previous)),
                    ("slot", .string(update?.slot)), ("state", .string(update?.phase.text)),
                    ("progress", .number(update?.progress)), ("reason", .string(update?.error)),
                    ("keys", .number(update?.keys)), ("text", .string(update?.text)),
                ]))
        }
        Output.line("device       \(summary.path)")
        Output.line("application  \(summary.application)")
        Output.line("version      \(summary.version ?? "not told")")
        guard let update else {
            return Output.line("update       this device has no signals for updates; only its result codes are known")
        }
        Output.line("previous     \(update.previous ?? "none")")
        Output.line("slot         \(update.slot ?? "not told")")
        if let keys = update.keys {
            Output.line("packages     " + (keys > 0 ? "signed ones only (\(keys) trusted keys)" : "signed or not"))
        }
        Output.line("last update  \(update.phase.text)\(update.error.map { ": \($0)" } ?? "")")
        for line in update.text?.split(separator: "\n") ?? [] { Output.line("  \(line)") }
    }
}
