import ArgumentParser
import IOCOM
import IOOperator
import TerminalUI

/// `ispy program rollback DEVICE`
struct ProgramRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Makes a device go back to its previous program.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withOperator(waitingFor: device.path) { access in
            let progress = ProgressPrinter(connection, totalBytes: nil)
            let update = ProgramUpdate(access, device: device.path, version: "")
            let outcome = try await Interrupt.cancelling {
                try await update.rollBack { progress.update($0.rawValue, 0) }
            } ended: {
                await progress.finish()
            }
            let isBack = outcome.result == .confirmed || outcome.result == .rolledBack
            if connection.json {
                Output.json(
                    .object([
                        ("device", .string(device.path.description)), ("result", .string(outcome.result.rawValue)),
                        ("version", .string(outcome.version)), ("previous", .string(outcome.previous)),
                        ("seconds", .number(outcome.seconds)), ("reason", .string(outcome.reason)),
                    ]))
            } else if isBack {
                Output.line(
                    "\(device.path) runs \(outcome.version ?? "its previous program") again (before: \(outcome.previous ?? "unknown"))"
                )
            }
            if !isBack {
                throw Failure(.notInstalled, "\(device.path) did not go back: \(outcome.reason ?? "it gave no reason")")
            }
        }
    }
}
