import ArgumentParser
import IOOperator
import Programs
import TerminalUI

/// `ispy program list [DEVICE]`
struct ProgramList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the packages in the folder, newest first; with a device those that fit it.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument?

    @OptionGroup var packages: PackagesOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let listing = try packages.list()
        for skipped in listing.skipped where connection.verbose {
            connection.note("passed over \(skipped.path): \(skipped.reason)")
        }
        guard let device else { return show(listing.packages.map { ($0, nil) }) }
        let summary = try await connection.withOperator(waitingFor: device.path) { try await $0.device(device.path) }
        let sorted = listing.sorted(for: PackageChoice.target(of: summary))
        for (package, reasons) in sorted.others where connection.verbose {
            connection.note("\(package.name) does not fit: \(reasons.map(\.description).joined(separator: "; "))")
        }
        show(sorted.fitting.map { ($0.package, $0.age) })
    }

    private func show(_ rows: [(package: Catalogue.Package, age: Fit.Age?)]) {
        if connection.json {
            return Output.json(
                .lines(
                    rows.map { row in
                        .object([
                            ("package", .string(row.package.name.description)), ("path", .string(row.package.path)),
                            ("application", .string(row.package.name.application)),
                            ("version", .string(row.package.name.version.description)),
                            ("os", .string(row.package.name.os)), ("hardware", .string(row.package.name.hardware)),
                            ("bytes", .number(row.package.size)), ("age", .string(row.age.map { "\($0)" })),
                            ("signed", .bool(row.package.isSigned)),
                        ])
                    }))
        }
        guard !rows.isEmpty else { return connection.note("no package fits in \(packages.folder)") }
        var table = Table([
            "application", "version", "os", "hardware", .init("bytes", alignment: .right), "compared", "signed",
            .init("file", keepsWhole: true),
        ])
        for (package, age) in rows {
            table.add([
                package.name.application, package.name.version.description, package.name.os, package.name.hardware,
                "\(package.size)", age.map { "\($0)" } ?? "-",
                package.isSigned ? "yes" : "no", package.name.description,
            ])
        }
        Output.table(table)
    }
}
