import ByteTools
import Programs
import Testing
import UpdateTesting

@Suite struct PackageInspectionTests {
    /// A real package made by dpkg-deb.
    static func debian(_ folder: TemporaryFolder, compression: String) throws -> String {
        folder.makeFolder("tree")
        folder.makeFolder("tree/DEBIAN")
        if Folder.entry(folder.path + "/tree/DEBIAN/control") == nil {
            try folder.write(
                "tree/DEBIAN/control",
                Array(
                    """
                    Package: iocafe-candy
                    Version: 260101-1200
                    Architecture: amd64
                    Maintainer: test <test@example.org>
                    Description: a test
                     of two lines: yes

                    """.utf8))
        }
        let path = folder.path + "/\(compression).deb"
        let result = try Subprocess.run(
            "/usr/bin/dpkg-deb", ["--root-owner-group", "-Z" + compression, "--build", folder.path + "/tree", path],
            outputLimit: 10_000, milliseconds: 20_000)
        try #require(result.status == 0, "\(String(decoding: result.errors, as: UTF8.self))")
        return path
    }

    @Test(.enabled(if: Folder.entry("/usr/bin/dpkg-deb") != nil), arguments: ["gzip", "xz", "zstd", "none"])
    func `A Debian package is recognised whatever compresses it`(compression: String) throws {
        let folder = try TemporaryFolder()
        let inspection = try PackageInspection(path: Self.debian(folder, compression: compression))
        #expect(inspection.kind == .debian)
        #expect(inspection.application == "candy")
        #expect(inspection.version?.description == "260101-1200")
        #expect(inspection.os == "linux" && inspection.hardware == "amd64")
        let name = try PackageName(parsing: "iocafe-candy-260101-1200-linux-amd64.deb")
        #expect(inspection.contradictions(to: name) == [])
        let other = try PackageName(parsing: "iocafe-gina-260101-1201-linux-arm64.deb")
        #expect(inspection.contradictions(to: other).count == 3)
    }

    @Test(.enabled(if: Folder.entry("/usr/bin/dpkg-deb") != nil))
    func `A damaged Debian package is refused with its place`() throws {
        let folder = try TemporaryFolder()
        let file = try File(Self.debian(folder, compression: "gzip"), .read)
        let bytes = try file.read(at: 0, count: file.byteCount)
        for length in [8, 30, 68, 100, bytes.count - 40] {
            #expect(throws: DebianPackage.Failure.self) {
                try DebianPackage.members(of: ArraySource(Array(bytes[..<length])))
            }
        }
        var huge = bytes
        huge.replaceSubrange(56..<66, with: Array("9999999999".utf8))
        #expect(
            throws: DebianPackage.Failure.badMember(offset: 56, reason: "a member can't have the size '9999999999'")
        ) {
            try DebianPackage.members(of: ArraySource(huge))
        }
        var random = SeededGenerator(seed: 5)
        for _ in 0..<20_000 {
            var wrong = bytes
            for _ in 0..<3 {
                wrong[Int.random(in: 0..<132, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            fuzzDebianPackage(wrong)
        }
    }

    @Test func `An ESP32 image is recognised under any name`() throws {
        let folder = try TemporaryFolder()
        let bytes = ESPImageTests.image()
        let inspection = try PackageInspection(path: folder.write("whatever.txt", bytes))
        #expect(inspection.kind == .esp32(.esp32))
        #expect(inspection.application == "candy" && inspection.versionText == "260101-1200")
        #expect(inspection.size == bytes.count)
        let name = try PackageName(parsing: "iocafe-candy-260101-1200-esp32-espcam.bin")
        #expect(inspection.contradictions(to: name) == [])
        let wrong = try PackageName(parsing: "iocafe-candy-260101-1200-esp32-espc3.bin")
        #expect(
            inspection.contradictions(to: wrong) == [
                "the name says hardware espc3 with esp32c3, the content is for esp32"
            ])
    }

    @Test func `The SHA-256 is that of the file`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("image", ESPImageTests.image(dataSize: 200_000))
        let result = try Subprocess.run("/usr/bin/sha256sum", [path], outputLimit: 1000, milliseconds: 5000)
        let text = String(decoding: result.output.prefix(64), as: UTF8.self)
        #expect(try hexadecimal(PackageInspection(path: path).sha256) == text)
    }

    @Test func `What is no package is called by its name`() throws {
        let folder = try TemporaryFolder()
        func failure(_ name: String, _ bytes: [UInt8]) throws -> PackageInspection.Failure? {
            let path = try folder.write(name, bytes)
            do throws(PackageInspection.Failure) {
                _ = try PackageInspection(path: path)
                return nil
            } catch {
                return error
            }
        }
        #expect(try failure("a", []) == .empty)
        #expect(try failure("b", Array("hello\n".utf8)) == .unrecognized("a text file"))
        #expect(
            try failure("c", [0x7F, 0x45, 0x4C, 0x46, 2])
                == .unrecognized("an ELF program that was not made into a package"))
        #expect(try failure("d", [0, 1]) == .unrecognized("unknown data that starts with 0001"))
        folder.link("e", to: folder.path + "/b")
        #expect(throws: PackageInspection.Failure.self) { try PackageInspection(path: folder.path + "/e") }
    }
}
