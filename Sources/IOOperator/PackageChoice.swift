import ByteTools
public import Programs

/// A package file that was examined, and how it fits a device.
public struct PackageChoice: Sendable {
    /// Where it is.
    public let path: String
    /// What its content says.
    public let inspection: PackageInspection
    /// What its name says, when it has the form of a package name.
    public let name: PackageName?

    /// Examines a file. Throws when it is not a package, is damaged, or its name and content contradict each other.
    public init(path: String) throws(OperatorError) {
        let inspection: PackageInspection
        do throws(PackageInspection.Failure) { inspection = try PackageInspection(path: path) } catch {
            throw OperatorError(.failed, "\(path) is not a usable package: \(error)")
        }
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let name = try? PackageName(parsing: file)
        if let name, let contradiction = inspection.contradictions(to: name).first {
            throw OperatorError(
                .failed,
                "\(path): its name and its content disagree (\(contradiction)); rename it with 'ispy package copy'")
        }
        self.path = path
        self.inspection = inspection
        self.name = name
    }

    /// What is known of a device for choosing its package.
    public static func target(of device: DeviceSummary) -> ProgramTarget {
        // Packages for Linux are named for the architecture, not for a board (application-layer.md 4.5).
        let architecture = device.architecture.map(DebianArchitecture.name(ofMachine:))
        return ProgramTarget(
            application: device.application, os: device.os,
            hardware: device.os == "linux" ? architecture : device.hardware,
            version: device.version.flatMap { try? ProgramVersion($0) })
    }

    /// Judges the package by content and, for what the content does not say, by its name.
    public func fit(_ device: DeviceSummary) -> Fit {
        let target = Self.target(of: device)
        // Whatever the file is called: an image for another chip than the device's board has is not sent.
        if case .esp32(let chip) = inspection.kind, let hardware = target.hardware,
            let board = ESPChip.onBoard(hardware), board != chip
        {
            return .unfit([.hardware(package: "\(chip)", device: hardware)])
        }
        // Without a name the hardware of an image is only known by its chip, which the device itself checks.
        let hardware = name?.hardware ?? inspection.hardware ?? target.hardware ?? "unknown"
        guard let version = inspection.version ?? (try? ProgramVersion("XXXXXX-XXXX")),
            let judged = try? PackageName(
                organization: name?.organization ?? "file", application: inspection.application, version: version,
                os: inspection.os, hardware: hardware, fileExtension: name?.fileExtension ?? "bin")
        else { return .unfit([.unknown("place in the order of versions")]) }
        return Fit(judged, for: target)
    }
}

extension PackageChoice {
    /// The newest package of a folder that fits a device.
    public static func newest(
        of listing: Catalogue.Listing, in folder: String, for device: DeviceSummary
    ) throws(OperatorError) -> PackageChoice {
        guard let best = listing.sorted(for: target(of: device)).fitting.first else {
            throw OperatorError(
                .packageNotFound,
                "no package in \(folder) fits \(device.path) (application \(device.application), os \(device.os ?? "unknown"), hardware \(device.hardware ?? "unknown")); 'ispy program list \(device.path) --verbose' says why"
            )
        }
        return try PackageChoice(path: best.package.path)
    }

    /// Throws when the package is not for the device, or not newer than what it runs unless `force`.
    public func check(_ device: DeviceSummary, force: Bool) throws(OperatorError) {
        switch fit(device) {
        case .fits(.newer), .fits(.unknown): return
        case .fits(let age):
            guard !force else { return }
            throw OperatorError(
                .refused,
                "\(path) holds version \(inspection.versionText), \(device.path) runs \(device.version ?? "an unknown version"): the package is \(age == .same ? "the same version" : "older"); --force writes it all the same"
            )
        case .unfit(let reasons):
            throw OperatorError(
                .refused,
                "\(path) is not for \(device.path): it \(reasons.map(\.description).joined(separator: "; it "))")
        }
    }

    /// The manifest beside the package, for a device that knows of signatures. Whether its key and version will do is for the
    /// device to say.
    public func manifest(for device: DeviceSummary) throws(OperatorError) -> SignedManifest? {
        // A device that knows of signatures gets what there is: somebody behind it may have keys of which it does not know.
        guard let keys = device.update?.keys else { return nil }
        let signed: SignedManifest?
        do { signed = try SignedManifest.read(beside: path) } catch {
            throw OperatorError(.failed, error.description)
        }
        guard let signed else {
            if keys == 0 { return nil }
            throw OperatorError(
                .refused,
                "\(device.path) takes signed packages only, and \(path) is not signed: 'ispy package sign' does that with a key the device trusts"
            )
        }
        guard signed.manifest.size == inspection.size, signed.manifest.sha256 == inspection.sha256 else {
            throw OperatorError(
                .refused, "\(SignedManifest.path(of: path)) is the manifest of other bytes: sign the package again")
        }
        return signed
    }

    /// What would be written into which device, for people.
    public func intent(_ device: DeviceSummary) -> String {
        "\(inspection.application) \(inspection.versionText) (\(inspection.size) bytes) into \(device.path), which runs \(device.version ?? "an unknown version")"
    }
}
