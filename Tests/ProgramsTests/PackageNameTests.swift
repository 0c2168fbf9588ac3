import Programs
import Testing
import UpdateTesting

@Suite struct PackageNameTests {
    @Test(arguments: [
        "iocafe-candy-200712-1905-esp32-espcam.bin", "iocafe-candy-200703-0915-linux-amd64.deb",
        "iocafe-candy-240229-XXXX-esp32-espcam.bin", "a-b-XXXXXX-XXXX-any-generic.x",
    ])
    func `The names of the specification are read and written the same`(text: String) throws {
        #expect(try PackageName(parsing: text).description == text)
    }

    @Test func `Each field has its place`() throws {
        let name = try PackageName(parsing: "iocafe-candy-200712-1905-esp32-espcam.bin")
        #expect(name.organization == "iocafe")
        #expect(name.application == "candy")
        #expect(name.version.date == 200712 && name.version.time == 1905)
        #expect(name.os == "esp32")
        #expect(name.hardware == "espcam")
        #expect(name.fileExtension == "bin")
    }

    @Test func `Odd names are refused with their reason`() {
        func error(_ text: String) -> PackageName.ParseError? {
            do throws(PackageName.ParseError) {
                _ = try PackageName(parsing: text)
                return nil
            } catch {
                return error
            }
        }
        #expect(error("") == .fieldCount(1))
        #expect(error("iocafe-candy-200712-1905-esp32-esp-cam.bin") == .fieldCount(7))
        #expect(error("iocafe-candy-200712-1905-esp32-espcam") == .noExtension)
        #expect(error("iocafe--200712-1905-esp32-espcam.bin") == .field("application", ""))
        #expect(error("iocafe-../x-200712-1905-esp32-espcam.bin") == .field("application", "../x"))
        #expect(error("iocafe-c\u{1B}-200712-1905-esp32-espcam.bin") == .field("application", "c"))
        #expect(error("iocafe-candy-201312-1905-esp32-espcam.bin") == .version(.date("201312")))
        #expect(error("iocafe-candy-210229-1905-esp32-espcam.bin") == .version(.date("210229")))
        #expect(error("iocafe-candy-200712-2460-esp32-espcam.bin") == .version(.time("2460")))
        #expect(error("iocafe-candy-200712-19٥5-esp32-espcam.bin") == .version(.time("19٥5")))
        #expect(error("iocafe-candy-+00712-1905-esp32-espcam.bin") == .version(.date("+00712")))
        #expect(error(String(repeating: "a", count: 300)) == .tooLong)
        #expect(error("iocafe-candy-200712-1905-esp32-espcam.") == .field("extension", ""))
    }

    @Test func `Versions sort as time, unknown times first`() throws {
        let sorted = ["XXXXXX-XXXX", "191231-2359", "200712-XXXX", "200712-0000", "200712-1905", "200713-0001"]
        let versions = try sorted.map { try ProgramVersion($0) }
        #expect(versions.shuffled().sorted() == versions)
        #expect(throws: ProgramVersion.ParseError.form("200712")) { try ProgramVersion("200712") }
        #expect(throws: ProgramVersion.ParseError.time("1905")) { try ProgramVersion("XXXXXX-1905") }
    }

    @Test func `A package fits only the same application, system and hardware`() throws {
        let name = try PackageName(parsing: "iocafe-candy-200712-1905-esp32-espcam.bin")
        var target = ProgramTarget(
            application: "candy", os: "esp32", hardware: "espcam", version: try ProgramVersion("200711-1905"))
        #expect(Fit(name, for: target) == .fits(.newer))
        target.version = name.version
        #expect(Fit(name, for: target) == .fits(.same))
        target.version = try ProgramVersion("210101-0000")
        #expect(Fit(name, for: target) == .fits(.older))
        target.version = nil
        #expect(Fit(name, for: target) == .fits(.unknown))
        target.hardware = "espc3"
        target.application = "gina"
        #expect(
            Fit(name, for: target)
                == .unfit([
                    .application(package: "candy", device: "gina"), .hardware(package: "espcam", device: "espc3"),
                ]))
        target = ProgramTarget(application: "candy", os: nil, hardware: nil, version: nil)
        #expect(Fit(name, for: target) == .unfit([.unknown("operating system"), .unknown("hardware")]))
    }

    @Test func `Any bytes are read as a name or refused`() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            var bytes = Array("iocafe-candy-200712-1905-esp32-espcam.bin".utf8)
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            fuzzPackageName(bytes)
            fuzzPackageName(random.bytes(11))
        }
    }
}
