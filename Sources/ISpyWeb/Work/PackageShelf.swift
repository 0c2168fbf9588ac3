import ByteTools
import Glibc
import IOOperator
import NIOPosix
import PackedJSON
import Programs
import Synchronization

/// The packages folder: what lies in it, what fits a device, and what a browser puts there.
final class PackageShelf: Sendable {
    /// How often it is looked whether the folder changed.
    private static let glance = Duration.seconds(2)

    let folder: String
    /// One value that changes with the folder.
    let board = Board<Catalogue.Listing>()
    private let newest = Mutex<[Asked: String?]>([:])

    /// What decides whether a package fits.
    private struct Asked: Hashable {
        var application: String
        var os: String?
        var hardware: String?
        var architecture: String?
        var version: String?
    }

    init(folder: String) { self.folder = folder }

    /// Follows the folder until the task is cancelled.
    func follow() async {
        var before: Catalogue.Listing?
        while !Task.isCancelled {
            if let now = try? await listing(), now != before {
                before = now
                newest.withLock { $0 = [:] }
                board.set("all", now)
            }
            try? await Task.sleep(for: Self.glance)
        }
    }

    func listing() async throws -> Catalogue.Listing {
        let folder = folder
        return try await NIOThreadPool.singleton.runIfActive {
            guard Folder.exists(folder) else { return Catalogue.Listing() }
            do { return try Catalogue(folder: folder).list() } catch {
                throw WebError(.failed, "the packages folder \(folder) can't be read: \(error)")
            }
        }
    }

    /// Version of the newest package that fits and is newer than what runs; from what is known of the folder.
    func available(for device: DeviceSummary) -> String? {
        guard let listing = board["all"] else { return nil }
        let asked = Asked(
            application: device.application, os: device.os, hardware: device.hardware,
            architecture: device.architecture, version: device.version)
        return newest.withLock { known in
            if let answer = known[asked] { return answer }
            if known.count > 10_000 { known = [:] }
            let best = listing.sorted(for: PackageChoice.target(of: device)).fitting.first { $0.age == .newer }
            let answer = best?.package.name.version.description
            known[asked] = .some(answer)
            return answer
        }
    }

    /// The package of that file name, or the newest that fits.
    func choose(_ name: String?, for device: DeviceSummary) async throws -> PackageChoice {
        let listing = try await listing()
        guard let name else {
            let folder = folder
            return try await NIOThreadPool.singleton.runIfActive {
                try PackageChoice.newest(of: listing, in: folder, for: device)
            }
        }
        let path = try Self.path(of: name, in: listing)
        return try await NIOThreadPool.singleton.runIfActive { try PackageChoice(path: path) }
    }

    private static func path(of name: String, in listing: Catalogue.Listing) throws -> String {
        // Only what is listed can be named: a name is no path.
        guard let package = listing.packages.first(where: { $0.name.description == name }) else {
            throw WebError(.notFound, "there is no package \(name) in the packages folder")
        }
        return package.path
    }

    static func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    // MARK: Lists

    /// All packages; with a device those that fit it first.
    func json(for device: DeviceSummary?) async throws -> JSON {
        let listing = try await listing()
        var rows: [JSON]
        if let device {
            let sorted = listing.sorted(for: PackageChoice.target(of: device))
            rows = sorted.fitting.enumerated().map { index, entry in
                var row = Self.json(entry.package)
                row["fits"] = true
                row["newest"] = .bool(index == 0 && entry.age == .newer)
                row["reasons"] =
                    switch entry.age {
                    case .newer, .unknown: []
                    case .same: ["is the version that runs"]
                    case .older: ["is older than what runs"]
                    }
                return row
            }
            rows += sorted.others.map { package, reasons in
                var row = Self.json(package)
                row["fits"] = false
                row["newest"] = false
                row["reasons"] = .array(reasons.map { .string($0.description) })
                return row
            }
        } else {
            rows = listing.packages.map { Self.json($0) }
            rows += listing.skipped.map { skipped in
                ["name": .string(Self.fileName(skipped.path)), "problem": .string(skipped.reason)]
            }
        }
        return .array(rows)
    }

    private static func json(_ package: Catalogue.Package) -> JSON {
        [
            "name": .string(package.name.description), "application": .string(package.name.application),
            "version": .string(package.name.version.description), "os": .string(package.name.os),
            "hardware": .string(package.name.hardware), "size": .integer(Int64(package.size)),
            "signed": .bool(package.isSigned), "problem": .null,
        ]
    }

    // MARK: Changing

    /// Takes an upload into the folder under its name, when it is what the name says.
    func add(_ upload: TemporaryUpload, named file: String) async throws -> JSON {
        defer { upload.remove() }
        let folder = folder
        let json = try await NIOThreadPool.singleton.runIfActive { () throws -> JSON in
            let name: PackageName
            do { name = try PackageName(parsing: file) } catch {
                throw WebError(
                    .refused,
                    "\(file) is not the name of a package (organization-application-YYMMDD-HHMM-os-hardware.ext): \(error)"
                )
            }
            let inspection: PackageInspection
            do { inspection = try PackageInspection(path: upload.path) } catch {
                throw WebError(.refused, "\(file) is not a usable package: \(error)")
            }
            if let contradiction = inspection.contradictions(to: name).first {
                throw WebError(.refused, "\(file): its name and its content disagree: \(contradiction)")
            }
            let place = "\(folder)/\(name.os)"
            do {
                try Folder.make(place)
                try ReplacementFile.copy(
                    try File(upload.path, .read), size: upload.size, to: "\(place)/\(name)", isPublic: true)
            } catch { throw WebError(.failed, "\(file) can't be kept in \(place): \(error)") }
            return [
                "name": .string(name.description), "application": .string(inspection.application),
                "version": .string(inspection.versionText), "os": .string(inspection.os),
                "hardware": JSON(inspection.hardware ?? name.hardware), "size": .integer(Int64(inspection.size)),
                "sha256": .string(hexadecimal(inspection.sha256)), "signed": false, "problem": .null,
            ]
        }
        await refresh()
        return json
    }

    /// Removes a package and its manifest.
    func remove(_ name: String) async throws {
        let path = try Self.path(of: name, in: try await listing())
        try await NIOThreadPool.singleton.runIfActive {
            let (folder, file) = Folder.split(path)
            do {
                try Folder.remove(file, in: folder)
                let manifest = SignedManifest.path(of: path)
                if Folder.entry(manifest) != nil { try Folder.remove(Folder.split(manifest).name, in: folder) }
            } catch { throw WebError(.failed, "\(name) can't be removed: \(error)") }
        }
        await refresh()
    }

    private func refresh() async {
        guard let now = try? await listing() else { return }
        newest.withLock { $0 = [:] }
        board.set("all", now)
    }
}
