import ArgumentParser
import Programs
import TerminalUI

/// `ispy program …`
struct Program: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "program", abstract: "Lists packages, writes programs, tells what runs, goes back.",
        subcommands: [ProgramList.self, ProgramWrite.self, ProgramStatus.self, ProgramRollback.self])
}

/// Where packages are.
struct PackagesOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Packages folder; else IOCOM_PACKAGES, /coderoot/packages or ~/.local/share/iocom/packages.",
            valueName: "folder"))
    var packages: String?

    var folder: String {
        Catalogue.defaultFolder(option: packages, environment: Environment.variables)
    }

    func list() throws -> Catalogue.Listing {
        do { return try Catalogue(folder: folder).list() } catch {
            throw Failure(.notFound, "the packages folder \(folder) cannot be read: \(error)")
        }
    }
}
