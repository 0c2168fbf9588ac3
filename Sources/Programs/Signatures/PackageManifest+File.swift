public import ByteTools

/// Why no manifest can be made of a package file.
public enum ManifestMakingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Its name says too little.
    case name(PackageName.ParseError)
    /// It is no package, or a damaged one.
    case content(PackageInspection.Failure)
    /// Name and content say different things.
    case contradiction(String)
    /// It can't be read.
    case unreadable(StorageFailure)

    /// The reason for people.
    public var description: String {
        switch self {
        case .name(let error): "\(error); 'ispy package copy' gives a program its right name"
        case .content(let failure): failure.description
        case .contradiction(let text): "its name and its content disagree: \(text)"
        case .unreadable(let failure): failure.description
        }
    }
}

extension PackageManifest {
    /// The manifest of a package file, from its name and its content, which must agree.
    public init(file path: String, allowsDowngrade: Bool = false) throws(ManifestMakingError) {
        let name: PackageName
        do { name = try PackageName(parsing: path.split(separator: "/").last.map(String.init) ?? path) } catch {
            throw .name(error)
        }
        let inspection: PackageInspection
        do { inspection = try PackageInspection(path: path) } catch { throw .content(error) }
        if let contradiction = inspection.contradictions(to: name).first { throw .contradiction(contradiction) }
        guard inspection.version != nil else {
            throw .contradiction(
                "the content says version '\(inspection.versionText)', which is none (YYMMDD-HHMM)")
        }
        self.init(name, size: inspection.size, sha256: inspection.sha256, allowsDowngrade: allowsDowngrade)
    }

    /// What makes a file another one than this manifest describes; nil when it is the one.
    public func difference(to path: String) throws(ManifestMakingError) -> ManifestRefusal? {
        do throws(StorageFailure) {
            let file = try File(path, .read)
            let size = try file.byteCount
            guard size == self.size else { return .size(manifest: self.size, package: size) }
            return try fileDigest(file, size) == sha256 ? nil : .hash
        } catch { throw .unreadable(error) }
    }
}
