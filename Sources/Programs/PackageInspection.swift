public import ByteTools
import Crypto
public import FirmwareImages

/// What a package file is by its content; its name is not looked at, except by `contradictions(to:)`.
public struct PackageInspection: Sendable, Equatable {
    /// Format of a package.
    public enum Kind: Sendable, Equatable {
        /// Program image for a chip of the ESP32 family.
        case esp32(ESPChip)
        /// Debian package.
        case debian
        /// Program for a microcontroller.
        case microcontroller
        /// Hex file for a Teensy.
        case teensy
        /// Windows Installer package.
        case windows(WindowsPackage)
    }

    /// Why a file is no package.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// There are no bytes.
        case empty
        /// None of the known formats; the text says what it looks like.
        case unrecognized(String)
        /// Larger than any package may be.
        case tooLarge(limit: Int)
        /// An ESP32 image with something wrong.
        case image(ESPImageError)
        /// A Debian package with something wrong.
        case debian(DebianPackage.Failure)
        /// A microcontroller's program with something wrong.
        case microcontroller(ImageProblem)
        /// A hex file with something wrong.
        case hex(TeensyProblem)
        /// A Windows Installer package with something wrong.
        case windows(MSIFailure)
        /// It can't be read.
        case unreadable(StorageFailure)

        /// The reason for people.
        public var description: String {
            switch self {
            case .empty: "the file is empty"
            case .unrecognized(let what): "not a program package: it looks like \(what)"
            case .tooLarge(let limit): "larger than the \(limit) bytes a package may have"
            case .image(let error): error.description
            case .debian(let error): error.description
            case .microcontroller(let problem): problem.text
            case .hex(let problem): problem.description
            case .windows(let failure): failure.description
            case .unreadable(let failure): failure.description
            }
        }
    }

    /// Bytes that show the format of a file.
    private static let startSize = ProgramDescriptor.offset + ProgramDescriptor.size

    /// Format.
    public let kind: Kind
    /// The application inside.
    public let application: String
    /// Its version as it says itself.
    public let versionText: String
    /// The version when its text has the form of one.
    public var version: ProgramVersion? { try? ProgramVersion(versionText) }
    /// Operating system it is for.
    public let os: String
    /// Hardware it is for when the content says it: the architecture of a Debian package; an image names only its chip.
    public let hardware: String?
    /// Bytes of the file.
    public let size: Int
    /// SHA-256 of the file.
    public let sha256: [UInt8]

    /// Examines the file at `path` without holding it in memory.
    public init(path: String) throws(Failure) {
        let file: File
        let size: Int
        let start: [UInt8]
        do throws(StorageFailure) {
            file = try File(path, .read)
            size = try file.byteCount
            start = try file.read(at: 0, count: min(size, Self.startSize))
        } catch {
            throw .unreadable(error)
        }
        guard size > 0 else { throw .empty }
        if DebianPackage.isArchive(start) {
            guard size <= DebianPackage.largestSize else { throw .tooLarge(limit: DebianPackage.largestSize) }
            let package: DebianPackage
            do { package = try DebianPackage(path: path) } catch { throw .debian(error) }
            // Ours are named <organization>-<application>.
            let dash = package.package.firstIndex(of: "-")
            application = dash.map { String(package.package[package.package.index(after: $0)...]) } ?? package.package
            kind = .debian
            versionText = package.version
            os = "linux"
            hardware = package.architecture
        } else if WindowsPackage.isPackage(start) {
            guard size <= WindowsPackage.largestSize else { throw .tooLarge(limit: WindowsPackage.largestSize) }
            let package: WindowsPackage
            do { package = try WindowsPackage(file) } catch { throw .windows(error) }
            kind = .windows(package)
            application = package.application
            versionText = package.versionText
            os = "windows"
            hardware = package.architecture.rawValue
        } else if MicrocontrollerImage.isImage(start) {
            let image: MicrocontrollerImage
            do { image = try MicrocontrollerImage(checking: file) } catch {
                switch error {
                case .image(let problem): throw .microcontroller(problem)
                case .unreadable(let failure): throw .unreadable(failure)
                }
            }
            kind = .microcontroller
            application = image.application
            versionText = image.version
            os = image.os
            hardware = image.hardware
        } else if TeensyImage.isHex(start) {
            let program: TeensyImage
            do { program = try TeensyImage(checking: file) } catch {
                switch error {
                case .program(let problem): throw .hex(problem)
                case .unreadable(let failure): throw .unreadable(failure)
                }
            }
            kind = .teensy
            application = program.image.application
            versionText = program.image.version
            os = program.image.os
            hardware = program.image.hardware
        } else if start[0] == 0xE9 {
            let image: ESPImage
            do { image = try ESPImage(checking: file) } catch { throw .image(error) }
            kind = .esp32(image.chip)
            application = image.application.project
            versionText = image.application.version
            os = "esp32"
            hardware = nil
        } else {
            throw .unrecognized(Self.looks(start))
        }
        self.size = size
        do { sha256 = try fileDigest(file, size) } catch { throw .unreadable(error) }
    }

    private static func looks(_ start: [UInt8]) -> String {
        let known: [(String, [UInt8])] = [
            ("an ELF program that was not made into a package", [0x7F, 0x45, 0x4C, 0x46]),
            ("a gzip file", [0x1F, 0x8B]), ("a zip file", [0x50, 0x4B, 3, 4]), ("a Windows program", [0x4D, 0x5A]),
            ("erased flash", [0xFF, 0xFF, 0xFF, 0xFF]),
        ]
        for (what, magic) in known where start.starts(with: magic) { return what }
        let isText = start.prefix(64).allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 9 || $0 == 10 || $0 == 13 }
        return isText ? "a text file" : "unknown data that starts with \(hexadecimal(start.prefix(8)))"
    }

    /// Where the content says something else than a package name; empty when they agree.
    public func contradictions(to name: PackageName) -> [String] {
        var found: [String] = []
        if application != name.application {
            found.append("the name says application \(name.application), the content \(application)")
        }
        if os != name.os { found.append("the name says \(name.os), the content is for \(os)") }
        if let version, version != name.version {
            found.append("the name says version \(name.version), the content \(version)")
        }
        if let hardware, hardware != name.hardware {
            found.append("the name says hardware \(name.hardware), the content \(hardware)")
        }
        if case .windows(let package) = kind, let organization = package.organization, organization != name.organization
        {
            found.append("the name says organization \(name.organization), the content \(organization)")
        }
        if case .esp32(let chip) = kind, let board = ESPChip.onBoard(name.hardware), board != chip {
            found.append("the name says hardware \(name.hardware) with \(board), the content is for \(chip)")
        }
        return found
    }
}
