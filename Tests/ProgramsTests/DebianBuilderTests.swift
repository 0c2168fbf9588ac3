import ByteTools
import Programs
import Testing
import UpdateTesting

@Suite struct DebianBuilderTests {
    private static let program = "/usr/bin/true"
    private static let hasTools = ["/usr/bin/dpkg-shlibdeps", "/usr/bin/dpkg-deb", "/usr/bin/xz", program]
        .allSatisfy { Folder.entry($0) != nil }

    private static let good = """
        {
          "organization": "iocafe", "application": "candy", "summary": "IO device",
          "description": "First line.\\n\\nSecond paragraph.", "maintainer": "Ida Example <ida@example.org>",
          "copyright": "2026 Ida Example", "license": "MIT", "start": ["run", "--data", "/var/lib/iocom/candy"],
          "depends": ["ca-certificates"],
          "files": [
            {"source": "candy.conf", "path": "/etc/candy/candy.conf", "configuration": true},
            {"source": "candy.conf", "path": "/usr/share/candy/example", "mode": "0640", "owner": "games", "group": "adm"}
          ]
        }
        """

    private static func build(
        _ folder: TemporaryFolder, _ name: String, compression: Int = DebianBuilder.usualCompression
    ) throws -> String {
        let description = try DebianDescription(parsing: Array(good.utf8))
        var builder = try DebianBuilder(
            description, in: folder.path, program: program, version: try ProgramVersion("261124-1205"))
        builder.compression = compression
        let path = folder.path + "/" + name
        try builder.build(at: path)
        return path
    }

    private static func tool(_ path: String, _ arguments: [String]) throws -> String {
        let result = try Subprocess.run(path, arguments, outputLimit: 1 << 20, milliseconds: 20_000)
        #expect(result.status == 0, "\(String(decoding: result.errors, as: UTF8.self))")
        return String(decoding: result.output, as: UTF8.self)
    }

    @Test(.enabled(if: hasTools))
    func `A package is what dpkg reads, and the same again for the same input`() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("candy.conf", Array("# settings\n".utf8))
        let path = try Self.build(folder, "a.deb")

        let inspection = try PackageInspection(path: path)
        #expect(inspection.application == "candy" && inspection.versionText == "261124-1205")
        #expect(inspection.kind == .debian && inspection.hardware == "amd64" || inspection.hardware == "arm64")

        let control = try Self.tool("/usr/bin/dpkg-deb", ["--field", path])
        #expect(control.contains("Package: iocafe-candy\nVersion: 261124-1205\n"))
        #expect(control.contains("Depends: libc6 (>= ") && control.contains("ca-certificates, adduser, "))
        #expect(control.contains("Description: IO device\n First line.\n .\n Second paragraph.\n"))

        let list = try Self.tool("/usr/bin/dpkg-deb", ["--contents", path]).split(separator: "\n").map(String.init)
        #expect(list.allSatisfy { $0.contains(" 2026-11-24 12:05 ") })
        func line(_ name: String) -> String? { list.first { $0.hasSuffix(" ./" + name) } }
        #expect(line("usr/bin/candy")?.hasPrefix("-rwxr-xr-x root/root") == true)
        #expect(line("etc/candy/candy.conf")?.hasPrefix("-rw-r--r-- root/root") == true)
        #expect(line("usr/share/candy/example")?.hasPrefix("-rw-r----- games/adm") == true)
        #expect(line("usr/lib/systemd/system/candy.service") != nil)
        #expect(line("usr/share/doc/iocafe-candy/copyright") != nil)
        #expect(line("usr/lib/iocom/candy/version") != nil)

        let extracted = folder.path + "/extracted"
        _ = try Self.tool("/usr/bin/dpkg-deb", ["--raw-extract", path, extracted])
        #expect(try Self.content(extracted + "/usr/bin/candy") == Self.content(Self.program))
        #expect(
            try Self.text(extracted + "/DEBIAN/conffiles") == "/etc/candy/candy.conf\n/etc/default/candy\n")
        let unit = try Self.text(extracted + "/usr/lib/systemd/system/candy.service")
        #expect(unit.contains("\nExecStart=/usr/bin/candy run --data /var/lib/iocom/candy $OPTIONS\n"))
        #expect(unit.contains("\nUser=iocom-candy\n"))
        for script in ["postinst", "prerm", "postrm"] {
            _ = try Self.tool("/bin/sh", ["-n", extracted + "/DEBIAN/" + script])
        }
        let sums = try Subprocess.run(
            "/bin/sh", ["-c", #"cd "$1" && md5sum --check --quiet DEBIAN/md5sums"#, "sh", extracted],
            outputLimit: 10_000, milliseconds: 20_000)
        #expect(sums.status == 0)

        #expect(try Self.content(Self.build(folder, "b.deb")) == Self.content(path))
        #expect(try Folder.names(in: folder.path, limit: 100).names.filter { $0.hasPrefix(".") }.isEmpty)
    }

    private static func content(_ path: String) throws -> [UInt8] {
        let file = try File(path, .read)
        return try file.read(at: 0, count: file.byteCount)
    }

    private static func text(_ path: String) throws -> String { String(decoding: try content(path), as: UTF8.self) }

    @Test(arguments: [
        ("\"candy\", \"summary\"", "\"Candy\", \"summary\"", "application"),
        ("\"candy\", \"summary\"", "\"../x\", \"summary\"", "application"),
        ("\"iocafe\"", "\"io cafe\"", "organization"), ("\"iocafe\"", "7", "organization"),
        ("\"IO device\"", "\"IO\\ndevice\"", "summary"), ("<ida@example.org>\"", ">\\nX: y\"", "maintainer"),
        ("\"MIT\"", "\"GPL\"", "licenseText"), ("\"run\"", "\"run; rm\"", "start"), ("\"run\"", "\"$(id)\"", "start"),
        ("\"run\"", "\"%i\"", "start"), ("ca-certificates", "a\\nb", "depends"), ("ca-certificates", "a, b", "depends"),
        ("/etc/candy/", "etc/candy/", "path"), ("/etc/candy/", "/etc/../", "path"), ("/etc/candy/", "/etc//", "path"),
        ("\"source\": \"candy.conf\", \"path\": \"/etc", "\"source\": \"/etc/shadow\", \"path\": \"/etc", "source"),
        ("\"source\": \"candy.conf\", \"path\": \"/etc", "\"source\": \"../x\", \"path\": \"/etc", "source"),
        ("0640", "4755", "mode"), ("0640", "9999", "mode"), ("\"games\"", "\"games\\n\"", "owner"),
        ("\"configuration\": true", "\"configuration\": 1", "configuration"), ("\"mode\"", "\"mood\"", "files"),
        ("/usr/share/candy/example", "/etc/candy/candy.conf", "files"), ("\"copyright\"", "\"copywrong\"", "copywrong"),
    ])
    func `A description that could do harm is refused`(from: String, to: String, field: String) throws {
        let text = Self.good.replacing(from, with: to)
        #expect(text != Self.good)
        let error = #expect(throws: DebianDescription.ParseError.self) {
            try DebianDescription(parsing: Array(text.utf8))
        }
        guard case .field(let name, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(name == field)
    }

    @Test func `A description that is no JSON object or too long is refused`() {
        for text in ["", "[]", "{", "\"x\"", String(repeating: " ", count: DebianDescription.largestSize + 1)] {
            #expect(throws: DebianDescription.ParseError.self) { try DebianDescription(parsing: Array(text.utf8)) }
        }
    }

    @Test(.enabled(if: hasTools))
    func `A quickly made package holds the same`() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("candy.conf", [])
        let quick = try Self.tool("/usr/bin/dpkg-deb", ["--contents", Self.build(folder, "a.deb", compression: 0)])
        #expect(try quick == Self.tool("/usr/bin/dpkg-deb", ["--contents", Self.build(folder, "b.deb")]))
    }

    @Test func `What is not a program for Linux is not packed`() throws {
        let folder = try TemporaryFolder()
        let description = try DebianDescription(parsing: Array(Self.good.utf8))
        let version = try ProgramVersion("261124-1205")
        let text = try folder.write("text", Array("#!/bin/sh\n".utf8))
        for (program, version) in [
            (text, version), ("/nonexistent", version), (Self.program, try ProgramVersion("261124-XXXX")),
        ] {
            #expect(throws: DebianBuilder.Failure.self) {
                try DebianBuilder(description, in: folder.path, program: program, version: version)
            }
        }
    }

    @Test(.enabled(if: hasTools))
    func `A file that is missing, or has the place of another, leaves no package`() throws {
        let folder = try TemporaryFolder()
        #expect(throws: DebianBuilder.Failure.self) { try Self.build(folder, "a.deb") }
        let text = Self.good.replacing("/etc/candy/candy.conf", with: "/usr/bin/candy")
        _ = try folder.write("candy.conf", [])
        let builder = try DebianBuilder(
            DebianDescription(parsing: Array(text.utf8)), in: folder.path, program: Self.program,
            version: try ProgramVersion("261124-1205"))
        #expect(throws: DebianBuilder.Failure.self) { try builder.build(at: folder.path + "/a.deb") }
        #expect(try Folder.names(in: folder.path, limit: 100).names == ["candy.conf"])
    }
}
