import ArgumentParser
import Glibc
import IOCOM
import IOOperator
import TerminalUI

/// `ispy signals DEVICE [--watch]`
struct SignalsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signals", abstract: "Shows the signals of a device with their values.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Flag(help: "Go on and print each change until Ctrl-C.")
    var watch = false

    @Option(help: ArgumentHelp("With --watch: end after so many seconds.", valueName: "seconds"))
    var seconds: Int?

    @Flag(help: "Also show signals of data streams (conf_exp, conf_imp) and of pictures (dexp, dimp).")
    var all = false

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withOperator(waitingFor: device.path) { access in
            try await access.takeAllBlocks(of: device.path)
            var shown = try await read(access)
            show(shown)
            guard watch else { return }
            let clock = ContinuousClock()
            let end = seconds.map { clock.now + .seconds($0) }
            while end.map({ clock.now < $0 }) ?? true {
                try await Task.sleep(for: .milliseconds(200))
                do {
                    let now = try await read(access)
                    for (index, reading) in now.enumerated() where index >= shown.count || reading != shown[index] {
                        change(reading)
                    }
                    shown = now
                } catch let error as OperatorError where error.kind == .deviceNotFound {
                    // A device that restarts, into a new program for instance, comes back.
                    try await waitForReturn(access, until: end)
                }
            }
        }
    }

    private func waitForReturn(_ access: Operator, until end: ContinuousClock.Instant?) async throws {
        connection.note("\(device.path) went away; waiting for it")
        while end.map({ ContinuousClock().now < $0 }) ?? true {
            guard try await access.waitForDevice(device.path, seconds: 1, { $0 }) != nil,
                (try? await access.takeAllBlocks(of: device.path)) != nil
            else { continue }
            return connection.note("\(device.path) is back")
        }
    }

    private func read(_ access: Operator) async throws -> [SignalReading] {
        try await access.signals(of: device.path, data: all).filter { all || !$0.block.hasPrefix("conf_") }
    }

    private func object(_ reading: SignalReading) -> JSONText {
        .object([
            ("name", .string(reading.name)), ("group", .string(reading.group)), ("block", .string(reading.block)),
            ("type", .string(reading.type)), ("unit", .string(reading.unit)), ("settable", .bool(reading.isSettable)),
            ("state", .string(Self.state(reading.state))), ("value", Self.json(reading.value)),
        ])
    }

    private func show(_ readings: [SignalReading]) {
        if connection.json { return Output.json(.lines(readings.map(object))) }
        var table = Table(["group", .init("signal", keepsWhole: true), "type", "state", "value"])
        for reading in readings {
            let unit = reading.unit.isEmpty ? "" : " \(reading.unit)"
            table.add([
                reading.group, reading.name + (reading.isSettable ? " *" : ""), reading.type, Self.state(reading.state),
                reading.value.map { $0.formatted(elements: 12) + unit } ?? "-",
            ])
        }
        Output.table(table)
        if readings.contains(where: \.isSettable) { connection.note("* can be set with 'ispy set'") }
    }

    private func change(_ reading: SignalReading) {
        if connection.json { return Output.json(object(reading)) }
        let unit = reading.unit.isEmpty ? "" : " \(reading.unit)"
        Output.line("\(reading.name) = \(reading.value.map { $0.formatted(elements: 12) + unit } ?? "not connected")")
    }

    static func state(_ state: StateBits) -> String {
        guard state.contains(.connected) else { return "-" }
        if state.isSuperset(of: .red) { return "red" }
        return state.contains(.yellow) ? "yellow" : state.contains(.orange) ? "orange" : "ok"
    }

    static func json(_ value: SignalValue?) -> JSONText {
        switch value {
        case nil: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .number(value)
        case .number(let value): .number(value)
        case .text(let value): .string(value)
        case .array(let values): .array(values.map { json($0) })
        }
    }
}
