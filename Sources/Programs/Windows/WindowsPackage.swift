public import ByteTools

/// What a Windows Installer package (`.msi`) says of itself, read without Windows.
public struct WindowsPackage: Sendable, Equatable {
    /// Largest package.
    public static let largestSize = CompoundFileLimits.largestFile

    /// Machines that packages are for, with their names in package names.
    public enum Architecture: String, Sendable, CaseIterable {
        /// 64 bit x86.
        case amd64
        /// 32 bit x86.
        case x86
        /// 64 bit Arm.
        case arm64

        /// The platform of a template like `x64;1033`; nil when it is another one, or more than one.
        init?(template: String) {
            let platform = template.prefix { $0 != ";" }
            switch platform.lowercased() {
            case "x64", "amd64": self = .amd64
            case "intel", "": self = .x86
            case "arm64": self = .arm64
            default: return nil
            }
        }
    }

    /// Name of the product, for people.
    public let productName: String
    /// Who made it, for people; empty when it does not say.
    public let manufacturer: String
    /// Its version as Windows compares it.
    public let productVersion: WindowsVersion
    /// The version as it is written.
    public let productVersionText: String
    /// Number of this product in this version: `{…}` in upper case.
    public let productCode: String
    /// Number that all versions of the product have; nil when it has none, and can't be upgraded.
    public let upgradeCode: String?
    /// Number of this very file.
    public let packageCode: String
    /// Machine it is for.
    public let architecture: Architecture
    /// Names of the services that it installs.
    public let services: [String]
    /// The application: the property `IOCOMAPPLICATION`, else the product's name in lower case.
    public let application: String
    /// Who made it, as package names say it: the property `IOCOMORGANIZATION`.
    public let organization: String?
    /// Files that must lie beside it; a package that is sent must have none.
    public let externalFiles: [String]

    /// Version of the program as packages are named, else as the product says it.
    public var versionText: String { productVersion.programVersion?.description ?? productVersionText }

    /// True when `bytes`, the beginning of a file, can start a package.
    public static func isPackage(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: CompoundFileHeader.signature)
    }

    /// Properties that are used; a second value for one of them could be the one that Windows takes.
    private static let used = [
        "ProductName", "Manufacturer", "ProductVersion", "ProductCode", "UpgradeCode", "IOCOMAPPLICATION",
        "IOCOMORGANIZATION",
    ]

    /// Reads a package without holding it in memory.
    public init(_ source: some ByteSource) throws(MSIFailure) {
        var database = try MSIDatabase(source)
        guard let properties = try database.properties(Self.used) else { throw .field("table of properties") }
        productName = try Self.text(properties, "ProductName")
        manufacturer = properties["Manufacturer"]?.visible(MSILimits.longestText) ?? ""
        productVersionText = try Self.text(properties, "ProductVersion")
        guard let version = WindowsVersion(productVersionText) else {
            throw .field("ProductVersion: '\(productVersionText)' is not up to 255.255.65535")
        }
        productVersion = version
        productCode = try Self.code(properties["ProductCode"] ?? "", "ProductCode")
        upgradeCode = try properties["UpgradeCode"].map { text throws(MSIFailure) in try Self.code(text, "UpgradeCode")
        }
        let named = properties["IOCOMAPPLICATION"]
        let name = named ?? productName.lowercased()
        guard Self.isField(name), name.utf8.count <= Self.longestApplication else {
            throw .field(
                named == nil
                    ? "application: set the property IOCOMAPPLICATION, for '\(productName)' is no name of one"
                    : "IOCOMAPPLICATION: a name has 1 to \(Self.longestApplication) letters, digits and underscores")
        }
        application = name
        organization = properties["IOCOMORGANIZATION"]
        guard organization.map(Self.isField) ?? true else {
            throw .field("IOCOMORGANIZATION: a name has letters, digits and underscores")
        }
        let summary = try database.summary()
        packageCode = try Self.code(summary.revision, "revision number")
        guard let architecture = Architecture(template: summary.template) else {
            throw .field("platform: '\(summary.template.visible(MSILimits.longestText))' is not x64, Intel or Arm64")
        }
        self.architecture = architecture
        services = try Self.services(&database)
        var external: [String] = []
        for cabinet in try database.texts("Media", "Cabinet", most: MSILimits.mostDisks, of: "disks") ?? [] {
            // A name after # is a stream of the package.
            if cabinet.hasPrefix("#"), database.hasStream(String(cabinet.dropFirst())) { continue }
            external.append(cabinet.isEmpty ? "the files themselves" : cabinet.visible(MSILimits.longestText))
        }
        if summary.wordCount & SummaryInformation.administratorImage != 0 {
            external.append("the files of an administrator's share")
        }
        externalFiles = external
    }

    private static let longestApplication = 15
    private static let longestField = 64

    private static func services(_ database: inout MSIDatabase<some ByteSource>) throws(MSIFailure) -> [String] {
        let names = try database.texts("ServiceInstall", "Name", most: MSILimits.mostServices, of: "services") ?? []
        for name in names {
            // A name that is made up at installation time is in brackets.
            let bytes = name.utf8
            guard (1...longestField).contains(bytes.count),
                bytes.allSatisfy({ isFieldByte($0) || $0 == 0x2D || $0 == 0x2E })
            else { throw .field("service: '\(name.visible(longestField))' is no fixed name") }
        }
        return names
    }

    private static func text(_ properties: [String: String], _ name: String) throws(MSIFailure) -> String {
        guard let text = properties[name], !text.isEmpty, text.utf8.count <= MSILimits.longestText,
            text == text.visible(MSILimits.longestText)
        else { throw .field(name) }
        return text
    }

    /// `{8-4-4-4-12}` hexadecimal digits, as Windows writes it: in upper case.
    private static func code(_ text: String, _ name: String) throws(MSIFailure) -> String {
        let bytes = Array(text.utf8)
        guard bytes.count == 38, bytes[0] == UInt8(ascii: "{"), bytes[37] == UInt8(ascii: "}") else {
            throw .field("\(name): '\(text.visible(40))' is no {GUID}")
        }
        for (index, byte) in bytes[1..<37].enumerated() {
            let isDash = [8, 13, 18, 23].contains(index)
            guard isDash ? byte == UInt8(ascii: "-") : isDigit(byte) else {
                throw .field("\(name): '\(text.visible(40))' is no {GUID}")
            }
        }
        return text.uppercased()
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }

    /// What a field of a package name may be.
    private static func isField(_ text: String) -> Bool {
        (1...longestField).contains(text.utf8.count) && text.utf8.allSatisfy(isFieldByte)
    }

    private static func isFieldByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
        default: false
        }
    }
}
