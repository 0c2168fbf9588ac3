public import ByteTools

/// The packages folder: `<packages>/<os>/<package name>`.
public struct Catalogue: Sendable {
    /// Names looked at in one folder; a folder with more is reported as not complete.
    public static let maximumNames = 10_000
    /// Folders of operating systems looked at.
    public static let maximumSystems = 64

    /// A package file that was found by its name; its content is checked by `PackageInspection`.
    public struct Package: Sendable, Equatable {
        /// What its name says.
        public let name: PackageName
        /// Where it is.
        public let path: String
        /// Bytes.
        public let size: Int
        /// A manifest lies beside it; whether that is good is for the device to say.
        public let isSigned: Bool
    }

    /// Something in the folder that is not a package, and why.
    public struct Skipped: Sendable, Equatable {
        /// Where it is.
        public let path: String
        /// Reason for people.
        public let reason: String
    }

    /// What a folder holds.
    public struct Listing: Sendable, Equatable {
        /// Newest first.
        public var packages: [Package] = []
        /// What was passed over.
        public var skipped: [Skipped] = []
        /// False when there were more names than the limits allow to look at.
        public var complete = true

        /// An empty folder.
        public init() {}
    }

    /// The folder.
    public let folder: String

    /// A catalogue in `folder`.
    public init(folder: String) { self.folder = folder }

    /// The folder to use: the option, else `IOCOM_PACKAGES`, else `/coderoot/packages` if it exists, else
    /// `~/.local/share/iocom/packages` (DESIGN.md, section 3).
    public static func defaultFolder(
        option: String?, environment: [String: String], folderExists: (String) -> Bool
    ) -> String {
        if let option, !option.isEmpty { return option }
        if let variable = environment["IOCOM_PACKAGES"], !variable.isEmpty { return variable }
        if folderExists("/coderoot/packages") { return "/coderoot/packages" }
        return (environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? ".") + "/.local/share/iocom/packages"
    }

    /// The folder to use, looking at the real file system.
    public static func defaultFolder(option: String?, environment: [String: String]) -> String {
        defaultFolder(option: option, environment: environment, folderExists: Folder.exists)
    }

    /// Lists all packages, or those of one operating system. A folder that does not exist is an empty one.
    public func list(os: String? = nil) throws(StorageFailure) -> Listing {
        var listing = Listing()
        guard Folder.exists(folder) else { return listing }
        var systems: [String]
        if let os {
            guard !os.isEmpty, os != ".", os != "..", !os.contains("/") else { return listing }
            systems = [os]
        } else {
            let found = try Folder.names(in: folder, limit: Self.maximumNames)
            listing.complete = found.complete
            systems = []
            for name in found.names {
                switch Folder.entry(folder + "/" + name) {
                case .folder: systems.append(name)
                case .link: listing.skip(folder + "/" + name, "is a symbolic link")
                case .file: listing.skip(folder + "/" + name, "lies outside of a folder named for an operating system")
                case .other, nil: listing.skip(folder + "/" + name, "is neither a file nor a folder")
                }
            }
            if systems.count > Self.maximumSystems {
                systems.removeLast(systems.count - Self.maximumSystems)
                listing.complete = false
            }
        }
        for system in systems where Folder.entry(folder + "/" + system) == .folder {
            try list(system, into: &listing)
        }
        listing.packages.sort { ($0.name, $0.path) > ($1.name, $1.path) }
        return listing
    }

    private func list(_ system: String, into listing: inout Listing) throws(StorageFailure) {
        let place = folder + "/" + system
        let found = try Folder.names(in: place, limit: Self.maximumNames)
        if !found.complete { listing.complete = false }
        let names = Set(found.names)
        for name in found.names {
            let path = place + "/" + name
            // The manifest of a package is no package.
            if let package = SignedManifest.package(ofManifest: name), names.contains(package) { continue }
            guard case .file(let size) = Folder.entry(path) else {
                listing.skip(path, "is not a regular file")
                continue
            }
            do throws(PackageName.ParseError) {
                let parsed = try PackageName(parsing: name)
                guard parsed.os == system else {
                    listing.skip(path, "is for \(parsed.os) but lies in the folder \(system)")
                    continue
                }
                listing.packages.append(
                    Package(
                        name: parsed, path: path, size: size,
                        isSigned: names.contains(SignedManifest.path(of: name))))
            } catch {
                listing.skip(path, error.description)
            }
        }
    }
}

extension Catalogue.Listing {
    mutating func skip(_ path: String, _ reason: String) {
        skipped.append(Catalogue.Skipped(path: path, reason: reason))
    }

    /// The packages that fit a device, newest first, and for the others why they do not.
    public func sorted(
        for target: ProgramTarget
    ) -> (fitting: [(package: Catalogue.Package, age: Fit.Age)], others: [(Catalogue.Package, [Fit.Mismatch])]) {
        var fitting: [(package: Catalogue.Package, age: Fit.Age)] = []
        var others: [(Catalogue.Package, [Fit.Mismatch])] = []
        for package in packages {
            switch Fit(package.name, for: target) {
            case .fits(let age): fitting.append((package, age))
            case .unfit(let reasons): others.append((package, reasons))
            }
        }
        return (fitting, others)
    }
}
