import ArgumentParser
import ByteTools
import Programs
import TerminalUI

/// `ispy package make-image PROGRAM --application NAME --hardware BOARD --version VERSION …`
struct PackageMakeImage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-image", abstract: "Makes a package of a microcontroller's program, as a linker leaves it.",
        discussion: """
            PROGRAM holds the raw bytes from the load address on (objcopy -O binary), or is an Intel hex file. Bytes 512 to
            639 have to be free (0 or 255): there the descriptor goes that says what the program is. Its hash goes behind
            the last byte. A package for a Teensy is a hex file, all others are raw bytes. What the headers of
            a Teensy's program have to say is in docs/teensy.md.
            """)

    /// Largest program that is read.
    private static let largestProgram = 16 << 20

    @Argument(help: ArgumentHelp("Raw bytes of the program, or a hex file.", valueName: "program"))
    var program: String

    @Option(help: "The application, equal to the device name without number.")
    var application: String

    @Option(help: ArgumentHelp("Moment of the build, UTC: YYMMDD-HHMM.", valueName: "version"))
    var version: String

    @Option(help: "Kind of device it is for, like stm32, riscv32 or teensy.")
    var os: String

    @Option(help: "Board it is for, like stm32f429.")
    var hardware: String

    @Option(help: "Who made the program.")
    var organization = "iocafe"

    @Option(help: ArgumentHelp("Address of the first byte, like 0x08000000.", valueName: "address"))
    var loadAddress: String

    @Option(help: ArgumentHelp("Folder for the package, instead of the one of its kind in the packages folder."))
    var output: String?

    @OptionGroup var packages: PackagesOption

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
        let version: ProgramVersion
        do { version = try ProgramVersion(self.version) } catch { throw ValidationError("\(error)") }
        guard let address = Self.address(loadAddress) else {
            throw ValidationError("'\(loadAddress)' is no address; one is like 0x08000000")
        }
        guard case .file(let size) = Folder.entry(program) else {
            throw Failure(.notFound, "\(program) does not exist, or is not a regular file")
        }
        guard size <= Self.largestProgram else {
            throw Failure(.failed, "\(program) has \(size) bytes; a program has \(Self.largestProgram) at most")
        }
        do {
            let isHex = os == TeensyBoard.os
            let name = try PackageName(
                organization: organization, application: application, version: version, os: os, hardware: hardware,
                fileExtension: isHex ? "hex" : "bin")
            var builder = MicrocontrollerImageBuilder(
                application: application, version: version.description, os: os, hardware: hardware,
                loadAddress: address, program: try raw(File(program, .read).read(at: 0, count: size), from: address))
            builder.organization = organization
            let image = try builder.build()
            let package = isHex ? try TeensyImage.package(of: image, at: address) : image
            let place = output ?? packages.folder + "/" + os
            try Folder.make(place)
            let path = place + "/" + name.description
            try ReplacementFile.write(path, package, isPublic: true)
            if json { return Output.json(.object([("package", .string(path)), ("bytes", .number(package.count))])) }
            Output.line(path)
        } catch let failure as Failure {
            throw failure
        } catch { throw Failure(.failed, "no package was made: \(error)") }
    }

    /// The bytes of the program, of a hex file those from the load address on.
    private func raw(_ bytes: [UInt8], from address: UInt32) throws -> [UInt8] {
        guard bytes.first == UInt8(ascii: ":") else { return bytes }
        let image = try IntelHexImage(parsing: bytes)
        guard let raw = image.bytes(from: address, limit: Self.largestProgram) else {
            throw Failure(
                .failed, "\(program) has bytes before \(loadAddress), or more than \(Self.largestProgram) behind it")
        }
        return raw
    }

    /// A number with or without `0x`, up to 32 bits.
    private static func address(_ text: String) -> UInt32? {
        text.hasPrefix("0x") ? UInt32(text.dropFirst(2), radix: 16) : UInt32(text)
    }
}
