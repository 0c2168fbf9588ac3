import ByteTools
import Foundation
import Testing
import UpdateTesting

@testable import Programs

@Suite struct WindowsPackageTests {
    static let hasTools = Folder.entry("/usr/bin/wixl") != nil

    /// A real package made by wixl, with a service.
    static func real(_ folder: TemporaryFolder) throws -> String {
        try folder.write("gina.exe", Array("MZ".utf8) + [UInt8](repeating: 7, count: 3000))
        try folder.write(
            "gina.wxs",
            Array(
                """
                <Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
                  <Product Id="*" Name="Gina device" Version="26.11.38405" Manufacturer="IO café" Language="1033"
                      UpgradeCode="2B1E0F0C-6B1C-4E1B-9B3B-3B1B5B0F1A01">
                    <Package InstallerVersion="500" Compressed="yes" InstallScope="perMachine"/>
                    <Property Id="IOCOMAPPLICATION" Value="gina"/>
                    <Property Id="IOCOMORGANIZATION" Value="iocafe"/>
                    <Media Id="1" Cabinet="files.cab" EmbedCab="yes"/>
                    <Directory Id="TARGETDIR" Name="SourceDir">
                      <Directory Id="ProgramFiles64Folder">
                        <Directory Id="INSTALLDIR" Name="gina">
                          <Component Id="Program" Guid="8D0E5C39-6F0E-4E4E-8C8F-0B8C7A5C1A11" Win64="yes">
                            <File Id="Exe" Name="gina.exe" Source="gina.exe" KeyPath="yes"/>
                            <ServiceInstall Id="Service" Name="gina" DisplayName="gina" Type="ownProcess" Start="auto"
                                ErrorControl="normal"/>
                          </Component>
                        </Directory>
                      </Directory>
                    </Directory>
                    <Feature Id="Main" Level="1"><ComponentRef Id="Program"/></Feature>
                  </Product>
                </Wix>
                """.utf8))
        let result = try Subprocess.run(
            "/usr/bin/wixl", ["-a", "x64", "-o", folder.path + "/gina.msi", folder.path + "/gina.wxs"],
            outputLimit: 100_000, milliseconds: 20_000)
        try #require(result.status == 0, "\(String(decoding: result.errors, as: UTF8.self))")
        return folder.path + "/gina.msi"
    }

    @Test(.enabled(if: hasTools)) func `A real package is recognised and says what it is`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.real(folder)
        let inspection = try PackageInspection(path: path)
        guard case .windows(let package) = inspection.kind else {
            Issue.record("it is \(inspection.kind)")
            return
        }
        #expect(package.productName == "Gina device" && package.manufacturer == "IO café")
        #expect(package.upgradeCode == "{2B1E0F0C-6B1C-4E1B-9B3B-3B1B5B0F1A01}")
        #expect(package.services == ["gina"] && package.externalFiles == [])
        #expect(inspection.application == "gina" && inspection.versionText == "261126-1605")
        #expect(inspection.os == "windows" && inspection.hardware == "amd64")
        #expect(
            inspection.contradictions(to: try PackageName(parsing: "iocafe-gina-261126-1605-windows-amd64.msi")) == [])
        let other = try PackageName(parsing: "other-gino-261126-1606-linux-arm64.msi")
        #expect(inspection.contradictions(to: other).count == 5)

        // The content counts, whatever the name says.
        let named = folder.path + "/iocafe-gina-261126-1605-windows-amd64.msi"
        try ReplacementFile.copy(try File(path, .read), size: inspection.size, to: named)
        #expect(try PackageManifest(file: named).sha256 == inspection.sha256)
        let wrong = folder.path + "/iocafe-gina-261126-1605-windows-x86.msi"
        try ReplacementFile.copy(try File(path, .read), size: inspection.size, to: wrong)
        #expect(throws: ManifestMakingError.contradiction("the name says hardware x86, the content amd64")) {
            try PackageManifest(file: wrong)
        }
    }

    @Test(.enabled(if: hasTools)) func `No wrong byte and no cut of a real package does harm`() throws {
        let folder = try TemporaryFolder()
        let file = try File(Self.real(folder), .read)
        let bytes = try file.read(at: 0, count: file.byteCount)
        let whole = try WindowsPackage(ArraySource(bytes))
        // Another sample of places at each run; all of them take 40 s in a debug build, and the fuzzer does more.
        var system = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0 ... .max, using: &system)
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for index in stride(from: Int(seed % 4), to: bytes.count, by: 4) {
            var wrong = bytes
            wrong[index] ^= UInt8.random(in: 1...255, using: &random)
            if (try? WindowsPackage(ArraySource(wrong))) == nil { refused += 1 }
        }
        #expect(refused > 100, "only \(refused) wrong bytes were noticed by the reader, seed \(seed)")
        for count in stride(from: Int(seed % 16), to: bytes.count, by: 16) {
            // What follows the last byte that is used may be missing.
            let cut = try? WindowsPackage(ArraySource(Array(bytes[..<count])))
            #expect(
                cut == nil || cut == whole && count > bytes.count - 512, "a package of \(count) bytes, seed \(seed)")
        }
    }

    @Test(arguments: [3, 4], [false, true])
    func `Both versions of the container are read`(version: Int, hasLongReferences: Bool) throws {
        var builder = MSIBuilder()
        builder.fileVersion = version
        builder.hasLongReferences = hasLongReferences
        builder.services = ["gina", "gina-helper"]
        let package = try WindowsPackage(ArraySource(builder.bytes))
        #expect(package.services == ["gina", "gina-helper"] && package.application == "gina")
        #expect(package.architecture == .amd64 && package.productVersion == WindowsVersion("26.11.38405"))
    }

    @Test func `A table of more sectors than the header lists is read`() throws {
        var builder = MSIBuilder()
        builder.cabinet = [UInt8](repeating: 1, count: 8 << 20)
        #expect(try WindowsPackage(ArraySource(builder.bytes)).externalFiles == [])
        builder.tables = [.init("Many", [("Text", true)], (0..<3000).map { [.text("text \($0)")] })]
        #expect(try WindowsPackage(ArraySource(builder.bytes)).application == "gina")
    }

    @Test func `What another reader could read as another package is refused`() throws {
        func failure(_ change: (inout MSIBuilder) -> Void) -> String {
            var builder = MSIBuilder()
            change(&builder)
            do throws(MSIFailure) {
                _ = try WindowsPackage(ArraySource(builder.bytes))
                return "accepted"
            } catch { return error.description }
        }
        #expect(failure { _ in } == "accepted")
        #expect(failure { $0.properties.append(("ProductVersion", "26.11.38406")) }.contains("ProductVersion twice"))
        #expect(failure { $0.properties.removeAll { $0.name == "ProductCode" } }.contains("ProductCode"))
        #expect(failure { $0.properties[2].value = "256.1.1" }.contains("256.1.1"))
        #expect(failure { $0.properties[3].value = "{123}" }.contains("{GUID}"))
        #expect(failure { $0.properties[5].value = "no name" }.contains("IOCOMAPPLICATION"))
        #expect(failure { $0.template = "Intel64;1033" }.contains("Intel64"))
        #expect(failure { $0.services = ["[NAME]"] }.contains("no fixed name"))
        #expect(failure { $0.services = (0...MSILimits.mostServices).map { "s\($0)" } }.contains("services"))
        #expect(failure { $0.revision = "" }.contains("revision"))

        var twice = MSIBuilder().streams
        twice.append(twice[0])
        #expect(throws: MSIFailure.file(.damaged("two entries of its directory have the same name"))) {
            try WindowsPackage(ArraySource(CompoundFileBuilder(streams: twice).bytes))
        }
        var patch = CompoundFileBuilder(streams: MSIBuilder().streams)
        patch.rootClass[0] = 0x86
        #expect(throws: MSIFailure.notAPackage("a patch for one")) {
            try WindowsPackage(ArraySource(patch.bytes))
        }
    }

    /// Bytes of memory that this process had at most so far.
    private static func mostMemory() -> Int {
        var usage = rusage()
        #if os(Linux)
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss << 10
        #else
        getrusage(RUSAGE_SELF, &usage)
        return usage.ru_maxrss
        #endif
    }

    @Test func `A small package that names a long text in every row takes little memory`() throws {
        let long = String(repeating: "x", count: 0xFFFF)
        // Held in memory these rows would take 2 GB.
        var builder = MSIBuilder()
        builder.properties += Array(repeating: ("Other", long), count: 16_000)
        builder.properties += Array(repeating: (long, long), count: 16_000)
        let bytes = builder.bytes
        #expect(bytes.count < 256 << 10)
        let before = Self.mostMemory()
        #expect(try WindowsPackage(ArraySource(bytes)).application == "gina")
        #expect(Self.mostMemory() - before < 1 << 30)

        // Where every row is used, long texts are refused.
        func failure(_ change: (inout MSIBuilder) -> Void) -> MSIFailure? {
            var builder = MSIBuilder()
            change(&builder)
            do throws(MSIFailure) {
                _ = try WindowsPackage(ArraySource(builder.bytes))
                return nil
            } catch { return error }
        }
        let inNames = MSIFailure.limit("bytes in the name of a table or a column", MSILimits.longestName)
        #expect(failure { $0.tables = [.init(long, [("A", true)], [])] } == inNames)
        #expect(failure { $0.tables = [.init("T", [(long, true)], [])] } == inNames)
        #expect(
            failure { $0.properties[1].value = long }
                == .limit("bytes in the property Manufacturer", MSILimits.longestProperty))
        #expect(failure { $0.services = [long] } == .limit("bytes in a text of the table ServiceInstall", 255))
        #expect(failure { $0.cabinets = [long] } == .limit("bytes in a text of the table Media", 255))
        #expect(failure { $0.cabinets = Array(repeating: "a", count: MSILimits.mostDisks) } == nil)
        #expect(
            failure { $0.cabinets = Array(repeating: "a", count: MSILimits.mostDisks + 1) }
                == .limit("disks", MSILimits.mostDisks))
    }

    @Test func `Types of columns are understood as other readers do`() throws {
        var builder = MSIBuilder()
        builder.hasLongReferences = true
        // A text of any length that is part of the key: three bytes, not the two of a stream.
        builder.columnTypes["Property.Property"] = 0x2900
        #expect(try WindowsPackage(ArraySource(builder.bytes)).application == "gina")
        builder.columnTypes["Property.Value"] = 0x1F00
        #expect(try WindowsPackage(ArraySource(builder.bytes)).application == "gina")
        for type: UInt16 in [0x4DFF, 0x8DFF] {
            builder.columnTypes["Property.Value"] = type
            #expect(throws: MSIFailure.damaged("a column of the table Property has an unknown type")) {
                try WindowsPackage(ArraySource(builder.bytes))
            }
        }
        // Streams have two bytes in a row, whatever the strings have.
        for type: UInt16 in [0x0900, 0x1900] {
            builder = MSIBuilder()
            builder.columnTypes["Property.Value"] = type
            #expect(throws: MSIFailure.damaged("the table Property has no texts Value")) {
                try WindowsPackage(ArraySource(builder.bytes))
            }
        }
    }

    @Test func `Files that lie beside a package are named`() throws {
        var builder = MSIBuilder()
        builder.cabinet = nil
        #expect(try WindowsPackage(ArraySource(builder.bytes)).externalFiles == ["files.cab"])
    }

    @Test func `The name of the product is the application when nothing else says it`() throws {
        var builder = MSIBuilder()
        builder.properties.removeAll { $0.name.hasPrefix("IOCOM") }
        let package = try WindowsPackage(ArraySource(builder.bytes))
        #expect(package.application == "gina" && package.organization == nil)
        builder.properties[0].value = "Gina Device"
        #expect(throws: MSIFailure.self) { try WindowsPackage(ArraySource(builder.bytes)) }
    }

    @Test func `Chains that come back to themselves end`() throws {
        let good = MSIBuilder().bytes
        let table = try #require(good.number(at: 76, as: UInt32.self))
        let start = (Int(table) + 1) * 512
        // Every entry of the table in turn leads to every sector.
        let sectors = good.count / 512 - 1
        for entry in 0..<sectors {
            for target in [0, 1, entry, sectors - 1] {
                var bytes = good
                var number: [UInt8] = []
                number.appendNumber(UInt32(target))
                bytes.replaceSubrange(start + 4 * entry..<start + 4 * entry + 4, with: number)
                _ = try? WindowsPackage(ArraySource(bytes))
            }
        }
        // The same for the links between the entries of the directory.
        let directory = try #require(good.number(at: 48, as: UInt32.self))
        for entry in 0..<12 {
            for link in [68, 72, 76] {
                for target: UInt32 in [0, 1, UInt32(entry), 11, 0xFFFF] {
                    var bytes = good
                    let place = (Int(directory) + 1) * 512 + entry * 128 + link
                    var number: [UInt8] = []
                    number.appendNumber(target)
                    bytes.replaceSubrange(place..<place + 4, with: number)
                    _ = try? WindowsPackage(ArraySource(bytes))
                }
            }
        }
        var loop = good
        loop.replaceSubrange(start..<start + 4, with: [0, 0, 0, 0])
        #expect(throws: MSIFailure.self) { try WindowsPackage(ArraySource(loop)) }
    }
}

@Suite struct WindowsVersionTests {
    @Test func `A version becomes numbers that Windows orders the same, and comes back`() throws {
        #expect(WindowsVersion(try ProgramVersion("261126-1605"))?.description == "26.11.38405")
        #expect(WindowsVersion(try ProgramVersion("261126-XXXX")) == nil)
        var random = SeededGenerator(seed: 3)
        var before: (ProgramVersion, WindowsVersion)?
        for _ in 0..<2000 {
            func two(_ range: ClosedRange<Int>) -> String {
                let number = Int.random(in: range, using: &random)
                return (number < 10 ? "0" : "") + String(number)
            }
            let text = two(0...99) + two(1...12) + two(1...28) + "-" + two(0...23) + two(0...59)
            let version = try ProgramVersion(text)
            let windows = try #require(WindowsVersion(version))
            #expect(windows.programVersion == version)
            #expect(WindowsVersion(windows.description) == windows)
            if let before { #expect((before.0 < version) == (before.1 < windows)) }
            before = (version, windows)
        }
        #expect(WindowsVersion(try ProgramVersion("991231-2359")) != nil)
    }

    @Test(arguments: [
        "", ".", "1.", "1..2", "256.0.0", "1.256.0", "1.1.65536", "1.1.1.1.1", "-1.0.0", "1.0.0x", "000001.1",
    ])
    func `What is no version of Windows is none`(text: String) { #expect(WindowsVersion(text) == nil) }

    @Test func `Missing numbers are 0, the fourth does not count`() {
        #expect(WindowsVersion("1.2") == WindowsVersion("1.2.0.7"))
        #expect(WindowsVersion("1.2.3")?.programVersion == nil, "other schemes are no moment")
        #expect(WindowsVersion("26.2.44640")?.programVersion == nil, "February has no day 31")
    }
}
