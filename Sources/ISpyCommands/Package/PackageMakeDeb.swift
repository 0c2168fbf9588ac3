import ArgumentParser
import ByteTools
import Programs
import TerminalUI

/// `ispy package make-deb DESCRIPTION --program FILE --version VERSION`
struct PackageMakeDeb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-deb", abstract: "Makes a Debian package of a program and a description file.",
        discussion: """
            The description is JSON: organization, application, summary, description, maintainer ("Name <mail>"),
            copyright, license ("MIT", or another with licenseText), start (arguments of the service; without it nothing
            is started at boot), condition (file that must exist before), privileged and socket (for a service that runs as
            root), depends (further packages) and files (source, path, mode, owner, group, configuration).
            The libraries that the program needs are found with dpkg-shlibdeps. The same input gives the same bytes.
            """)

    @Argument(help: ArgumentHelp("Description file.", valueName: "description"))
    var description: String

    @Option(help: ArgumentHelp("The compiled program.", valueName: "file"))
    var program: String

    @Option(help: ArgumentHelp("Moment of the build, UTC: YYMMDD-HHMM.", valueName: "version"))
    var version: String

    @Option(
        help: ArgumentHelp("Folder for the package, instead of linux/ in the packages folder.", valueName: "folder"))
    var output: String?

    @OptionGroup var packages: PackagesOption

    @Option(help: ArgumentHelp("0 to 9: a quickly made package, or a small one.", valueName: "level"))
    var compression = DebianBuilder.usualCompression

    @Flag(help: "For this machine only: the program may look for libraries where only this one has them.")
    var local = false

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
        let version: ProgramVersion
        do { version = try ProgramVersion(self.version) } catch { throw ValidationError("\(error)") }
        guard DebianBuilder.compressions.contains(compression) else {
            throw ValidationError("--compression is a number from 0 to 9")
        }
        for path in [description, program] {
            guard case .file = Folder.entry(path) else {
                throw Failure(.notFound, "\(path) does not exist, or is not a regular file")
            }
        }
        do {
            let file = try File(description, .read)
            let size = min(try file.byteCount, DebianDescription.largestSize + 1)
            let parsed = try DebianDescription(parsing: file.read(at: 0, count: size))
            var builder = try DebianBuilder(
                parsed, in: Folder.split(description).folder, program: program, version: version)
            builder.isLocal = local
            builder.compression = compression
            let place = output ?? packages.folder + "/linux"
            try Folder.make(place)
            let path = try place + "/" + builder.name.description
            try builder.build(at: path)
            let built = try PackageInspection(path: path)
            if json { return Output.json(.object([("package", .string(path)), ("bytes", .number(built.size))])) }
            Output.line(path)
        } catch { throw Failure(.failed, "no package was made: \(error)") }
    }
}
