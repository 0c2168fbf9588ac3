import ByteTools
import Crypto

/// Makes a Debian package of a program and its description (deb(5), Debian Policy 12 to 14). The same input gives the same
/// bytes: owners, modes, order and times do not come from the machine that builds.
public struct DebianBuilder {
    /// Largest program that is packed.
    public static let largestProgram = 512 << 20
    /// How much time goes into making a package small: levels of xz(1).
    public static let compressions = 0...9
    /// The level that is used unless somebody says otherwise.
    public static let usualCompression = 6
    /// Longest time for one of the tools, ms.
    private static let toolTime = 600_000

    /// Why no package was made.
    public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The reason for people.
        public let description: String

        init(_ description: String) { self.description = description }
    }

    private let description: DebianDescription
    private let folder: String
    private let program: String
    private let version: ProgramVersion
    private let architecture: String
    /// The package is for the machine that makes it: the program may look for libraries where only this one has them.
    public var isLocal = false
    /// One of ``compressions``.
    public var compression = usualCompression

    /// `folder` is where the description's files lie; `program` must be an ELF program for Linux.
    public init(
        _ description: DebianDescription, in folder: String, program: String, version: ProgramVersion
    ) throws(Failure) {
        guard version.date != nil, version.time != nil else {
            throw Failure("the version of a package is a date and a time, not \(version)")
        }
        let file = try Self.wrap { () throws(StorageFailure) in try File(program, .read) }
        let size = try Self.wrap { () throws(StorageFailure) in try file.byteCount }
        guard size <= Self.largestProgram else { throw Failure("\(program) is larger than any program") }
        guard let header = try Self.wrap({ () throws(StorageFailure) in try ELFHeader(file) }) else {
            throw Failure("\(program) is not a program for Linux (ELF) of an architecture that Debian has")
        }
        architecture = header.architecture
        self.description = description
        self.folder = folder
        self.program = program
        self.version = version
    }

    /// Name of the package file.
    public var name: PackageName {
        get throws(Failure) {
            do throws(PackageName.ParseError) {
                return try PackageName(
                    organization: description.organization, application: description.application, version: version,
                    os: "linux", hardware: architecture, fileExtension: "deb")
            } catch { throw Failure("\(error)") }
        }
    }

    /// Makes the package at `path`, atomically. Temporary files lie beside it.
    public func build(at path: String) throws(Failure) {
        let slash = path.lastIndex(of: "/")
        let place = slash.map { String(path[...$0]) } ?? "./"
        let scratch = try Self.wrap { () throws(StorageFailure) in try Self.makeScratch(in: place) }
        defer { Self.removeAll(scratch) }
        let files = try collect()
        if !isLocal { try refuseLibraryPath() }
        let dependencies = try libraries(in: scratch) + description.depends
        let changelog = try gzip(Self.bytes(changelog), in: scratch)
        let entries = Self.withFolders(files + [Item(doc("changelog.Debian.gz"), changelog)])
        try writeTar(scratch + "/data.tar", entries)
        try writeTar(scratch + "/control.tar", try control(entries, dependencies))
        for part in ["control.tar", "data.tar"] { try compress(scratch + "/" + part) }
        try Self.wrap { () throws(StorageFailure) in try pack(scratch, to: path) }
    }

    // MARK: What goes in

    /// A file of the package with its content, in memory or on disk.
    private struct Item {
        var entry: TarWriter.Entry
        var content: [UInt8] = []
        var source: String?

        init(_ path: String, _ content: [UInt8], mode: Int = 0o644) {
            entry = TarWriter.Entry(path: path, kind: .file, mode: mode, size: content.count)
            self.content = content
        }

        init(_ path: String, source: String, size: Int, mode: Int) {
            entry = TarWriter.Entry(path: path, kind: .file, mode: mode, size: size)
            self.source = source
        }
    }

    private func doc(_ name: String) -> String { "usr/share/doc/\(description.package)/\(name)" }

    private var unitPath: String { "usr/lib/systemd/system/\(description.application)" }
    private var defaultsPath: String { "etc/default/\(description.application)" }
    private var initScriptPath: String { "etc/init.d/\(description.application)" }

    private func collect() throws(Failure) -> [Item] {
        var items = [
            Item("usr/bin/\(description.application)", source: program, size: try size(program), mode: 0o755),
            Item(doc("copyright"), Self.bytes(copyright)),
            Item("usr/share/lintian/overrides/\(description.package)", Self.bytes(overrides)),
            // What the program says it is: the same as the package.
            Item("usr/lib/iocom/\(description.application)/version", Self.bytes("\(version)\n")),
        ]
        if let start = description.start {
            items.append(Item(defaultsPath, Self.bytes(ServiceUnit.defaults(description))))
            items.append(Item(unitPath + ".service", Self.bytes(ServiceUnit.text(description, start))))
            if let socket = description.socket {
                items.append(Item(unitPath + ".socket", Self.bytes(ServiceUnit.socket(description, socket))))
            }
            if description.isPrivileged {
                items.append(
                    Item(initScriptPath, Self.bytes(InitScript.text(description, start)), mode: 0o755))
            } else {
                items.append(
                    Item(
                        "usr/lib/iocom/applications/\(description.application).json",
                        Self.bytes(ServiceUnit.application(description, start))))
            }
        }
        for file in description.files {
            let source = folder + "/" + file.source
            var item = Item(file.path, source: source, size: try size(source), mode: file.mode)
            item.entry.owner = file.owner
            item.entry.group = file.group
            items.append(item)
        }
        guard Set(items.map(\.entry.path)).count == items.count else {
            throw Failure("a file of the description has the place of one that is made")
        }
        return items
    }

    private func size(_ path: String) throws(Failure) -> Int {
        try Self.wrap { () throws(StorageFailure) in try File(path, .read).byteCount }
    }

    /// All folders above the files, and everything in byte order.
    private static func withFolders(_ items: [Item]) -> [Item] {
        var folders: Set<String> = [""]
        for item in items {
            var path = item.entry.path
            while let slash = path.lastIndex(of: "/") {
                path = String(path[..<slash])
                folders.insert(path)
            }
        }
        let all =
            items
            + folders.map { folder in
                var item = Item(folder, [], mode: 0o755)
                item.entry.kind = .folder
                return item
            }
        return all.sorted { Array($0.entry.path.utf8).lexicographicallyPrecedes(Array($1.entry.path.utf8)) }
    }

    // MARK: Control data

    private func control(_ entries: [Item], _ dependencies: [String]) throws(Failure) -> [Item] {
        let kilobytes = entries.reduce(0) { $0 + max(1, ($1.entry.size + 1023) / 1024) }
        var depends = dependencies
        var items: [Item] = []
        var configuration = description.files.filter(\.isConfiguration).map { "/" + $0.path }
        if description.start != nil {
            depends += ["adduser", "init-system-helpers (>= 1.54)"]
            configuration.append("/" + defaultsPath)
            if description.isPrivileged { configuration.append("/" + initScriptPath) }
            items.append(Item("postinst", Self.bytes(MaintainerScripts.postinst(description)), mode: 0o755))
            items.append(Item("prerm", Self.bytes(MaintainerScripts.prerm(description)), mode: 0o755))
            items.append(Item("postrm", Self.bytes(MaintainerScripts.postrm(description)), mode: 0o755))
        }
        if !configuration.isEmpty {
            let lines = configuration.sorted().map { $0 + "\n" }.joined()
            items.append(Item("conffiles", Self.bytes(lines)))
        }
        items.append(Item("md5sums", Self.bytes(try sums(entries, except: Set(configuration)))))
        let fields = [
            "Package: \(description.package)", "Version: \(version)", "Architecture: \(architecture)",
            "Maintainer: \(description.maintainer)", "Installed-Size: \(kilobytes)",
            depends.isEmpty ? nil : "Depends: " + Self.unique(depends).joined(separator: ", "), "Section: misc",
            "Priority: optional", "Description: \(description.summary)", Self.folded(description.description),
        ].compactMap(\.self)
        items.append(Item("control", Self.bytes(fields.joined(separator: "\n") + "\n")))
        return Self.withFolders(items)
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// Paragraphs as a continuation: a blank before each line, a point for an empty one.
    private static func folded(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { line in line.allSatisfy { $0 == " " } ? " ." : " " + line }.joined(separator: "\n")
    }

    private func sums(_ entries: [Item], except configuration: Set<String>) throws(Failure) -> String {
        var lines = ""
        for item in entries where item.entry.kind == .file && !configuration.contains("/" + item.entry.path) {
            var hash = Insecure.MD5()
            if let source = item.source {
                try Self.wrap { () throws(StorageFailure) in
                    try File(source, .read).forEachPiece(of: item.entry.size) { hash.update(data: $0) }
                }
            } else {
                hash.update(data: item.content)
            }
            lines += "\(hexadecimal(hash.finalize()))  \(item.entry.path)\n"
        }
        return lines
    }

    private var copyright: String {
        let license = description.license == "MIT" ? "Expat" : description.license
        let comment = description.contains.map { "\nComment:\n" + Self.folded($0) } ?? ""
        return """
            Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
            Upstream-Name: \(description.application)

            Files: *
            Copyright: \(description.copyright)
            License: \(license)
            \(Self.folded(description.licenseText))\(comment)

            """
    }

    /// Remarks of lintian that are answered, with the reason.
    private var overrides: String {
        var lines = ["# The program tells its use itself (--help).", "\(description.package): no-manual-page"]
        if description.files.contains(where: { $0.mode & 0o007 == 0 }) {
            lines += ["# Some files are not for everybody to read.", "\(description.package): non-standard-file-perm"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var changelog: String {
        """
        \(description.package) (\(version)) unstable; urgency=medium

          * Version \(version).

         -- \(description.maintainer)  \(CalendarTime(version).mailDate)

        """
    }

    // MARK: Tools and archives

    private func writeTar(_ path: String, _ items: [Item]) throws(Failure) {
        try Self.wrap { () throws(StorageFailure) in
            let file = try File(path, .create)
            var offset = 0
            let tar = TarWriter(time: CalendarTime(version).seconds) { bytes throws(StorageFailure) in
                try file.write(at: offset, bytes)
                offset += bytes.count
            }
            for item in items {
                if let source = item.source {
                    try tar.add(item.entry, from: try File(source, .read))
                } else {
                    try tar.add(item.entry, content: item.content)
                }
            }
            try tar.finish()
        }
    }

    private func compress(_ path: String) throws(Failure) {
        // One thread: the number of cores would change the bytes.
        try tool("/usr/bin/xz", ["--threads=1", "-\(compression)", path])
    }

    private func gzip(_ bytes: [UInt8], in scratch: String) throws(Failure) -> [UInt8] {
        let path = scratch + "/changelog"
        try Self.wrap { () throws(StorageFailure) in try File(path, .create).write(at: 0, bytes) }
        try tool("/usr/bin/gzip", ["--best", "--no-name", path])
        return try Self.wrap { () throws(StorageFailure) in
            let file = try File(path + ".gz", .read)
            return try file.read(at: 0, count: file.byteCount)
        }
    }

    /// A program that looks for libraries in a folder of the maker's machine (DT_RPATH, DT_RUNPATH) starts nowhere else, and
    /// dpkg-shlibdeps says nothing about it.
    private func refuseLibraryPath() throws(Failure) {
        let output = try tool("/usr/bin/readelf", ["--dynamic", "--wide", program])
        for line in output.split(separator: "\n") where line.contains("(RUNPATH)") || line.contains("(RPATH)") {
            let path = line.split(separator: "[").last?.prefix { $0 != "]" } ?? ""
            let foreign = path.split(separator: ":").filter { !$0.hasPrefix("$ORIGIN") && !$0.hasPrefix("/usr/lib") }
            guard foreign.isEmpty else {
                throw Failure(
                    "\(program) looks for libraries in \(foreign.joined(separator: ", ")), which other machines do not have; "
                        + "link them in (swift build --static-swift-stdlib), or add --local for this machine only")
            }
        }
    }

    /// Packages with the libraries that the program needs, as dpkg-shlibdeps finds them.
    private func libraries(in scratch: String) throws(Failure) -> [String] {
        let place = scratch + "/source/debian"
        try Self.wrap { () throws(StorageFailure) in
            try Folder.makePrivate(place)
            let control = """
                Source: \(description.package)
                Maintainer: \(description.maintainer)

                Package: \(description.package)
                Architecture: any
                Description: \(description.summary)

                """
            try File(place + "/control", .create).write(at: 0, Self.bytes(control))
        }
        let absolute = program.hasPrefix("/") ? program : Self.workingFolder + "/" + program
        let script = #"cd "$1" && exec dpkg-shlibdeps -O --warnings=0 "$2""#
        let output = try tool("/bin/sh", ["-c", script, "sh", scratch + "/source", absolute], inFolder: true)
        let lead = "shlibs:Depends="
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix(lead) }) else { return [] }
        return line.dropFirst(lead.count).split(separator: ",").map { word in
            String(word.drop { $0 == " " })
        }
    }

    @discardableResult
    private func tool(
        _ path: String, _ arguments: [String], inFolder: Bool = false
    ) throws(Failure) -> String {
        let result = try Self.wrap { () throws(StorageFailure) in
            try Subprocess.run(path, arguments, outputLimit: 1 << 20, milliseconds: Self.toolTime)
        }
        guard result.status == 0 else {
            let text = String(decoding: result.errors.suffix(500).filter { $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
            throw Failure("\(inFolder ? "dpkg-shlibdeps (package dpkg-dev)" : path) failed: \(text)")
        }
        return String(decoding: result.output, as: UTF8.self)
    }

    /// The `ar` archive of the three parts.
    private func pack(_ scratch: String, to path: String) throws(StorageFailure) {
        try ReplacementFile.write(path, isPublic: true) { target throws(StorageFailure) in
            try target.append(Self.bytes("!<arch>\n") + member("debian-binary", 4) + Self.bytes("2.0\n"))
            for part in ["control.tar.xz", "data.tar.xz"] {
                let file = try File(scratch + "/" + part, .read)
                let size = try file.byteCount
                try target.append(member(part, size))
                try file.forEachPiece(of: size) { piece throws(StorageFailure) in try target.append(piece) }
                if !size.isMultiple(of: 2) { try target.append([0x0A]) }
            }
        }
    }

    private func member(_ name: String, _ size: Int) -> [UInt8] {
        func column(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.utf8.count))
        }
        let time = "\(CalendarTime(version).seconds)"
        return Self.bytes(
            column(name, 16) + column(time, 12) + column("0", 6) + column("0", 6) + column("100644", 8)
                + column("\(size)", 10) + "`\n")
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func wrap<Value>(_ body: () throws(StorageFailure) -> Value) throws(Failure) -> Value {
        do { return try body() } catch { throw Failure(error.description) }
    }
}
