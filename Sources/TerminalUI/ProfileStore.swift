import Glibc
import PackedJSON

/// The saved connections of a user: a JSON file that is replaced whole, readable by its owner only.
///
/// ```json
/// { "profiles": { "home": { "connect": "tls://frank.local", "user": "root.cafenet", "trust": "/home/me/ca.pem" } } }
/// ```
///
/// Members that this program does not know are kept.
public struct ProfileStore: Sendable {
    /// The file.
    public let path: String

    /// The largest file that is read.
    public static let largestFile = 1 << 20

    /// The store in the file at `path`, which need not exist.
    public init(path: String) { self.path = path }

    /// The user's own store: `iocom/profiles.json` in XDG_CONFIG_HOME, else in `.config` of the home folder.
    public static func standard() throws(ProfileError) -> ProfileStore {
        // The XDG base directory specification: a relative path is to be ignored.
        if let folder = Terminal.environment("XDG_CONFIG_HOME"), folder.hasPrefix("/") {
            return ProfileStore(path: folder + "/iocom/profiles.json")
        }
        guard let home = Terminal.environment("HOME"), home.hasPrefix("/") else { throw .noHome }
        return ProfileStore(path: home + "/.config/iocom/profiles.json")
    }

    /// All profiles, sorted by name. Entries that no profile can be made of are left out.
    public func all() throws(ProfileError) -> [(name: String, profile: ConnectionProfile)] {
        let entries = try document()["profiles"]?.members ?? []
        return entries.compactMap { entry in Self.profile(entry.value).map { (entry.name, $0) } }
            .sorted { $0.name < $1.name }
    }

    /// The profile called `name`.
    public func profile(_ name: String) throws(ProfileError) -> ConnectionProfile {
        let all = try all()
        guard let found = all.first(where: { $0.name == name }) else {
            throw .unknown(name: name, known: all.map(\.name))
        }
        return found.profile
    }

    /// Adds a profile or replaces the one of that name. A relative trust file is meant from the current folder.
    public func save(_ profile: ConnectionProfile, as name: String) throws(ProfileError) {
        if let objection = ConnectionProfile.objection(toName: name) ?? profile.objection {
            throw .refused(name: name, reason: objection)
        }
        var entry: JSON = ["connect": .string(profile.connect)]
        entry["user"] = profile.user.map(JSON.string)
        entry["trust"] = try profile.trust.map { (file) throws(ProfileError) in .string(try Self.absolute(file)) }
        if profile.isPinned { entry["pinned"] = true }
        if !profile.verifiesHostName { entry["hostName"] = false }
        try change { (profiles: inout JSON) throws(ProfileError) in profiles[name] = entry }
    }

    /// Removes the profile called `name`.
    public func remove(_ name: String) throws(ProfileError) {
        _ = try profile(name)
        try change { (profiles: inout JSON) throws(ProfileError) in profiles[name] = nil }
    }

    // MARK: - The file

    private func document() throws(ProfileError) -> JSON {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        if file < 0, errno == ENOENT { return [:] }
        guard file >= 0 else { throw .file(FileError("read", path, number: errno)) }
        defer { close(file) }
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try FileBytes.read(from: file, limit: Self.largestFile)
        } catch {
            throw .file(FileError("read", path, number: error.number))
        }
        guard let bytes else { throw .damaged(path: path, reason: "it is larger than \(Self.largestFile) bytes") }
        let document: JSON
        do throws(JSONTextError) {
            document = try JSON(parsing: bytes)
        } catch {
            throw .damaged(path: path, reason: "\(error)")
        }
        // A file of another shape is not ours to replace.
        guard document.members != nil, (document["profiles"] ?? [:]).members != nil else {
            throw .damaged(path: path, reason: "it is not an object with an object called profiles")
        }
        return document
    }

    /// Reads, changes and replaces the file while no other process of this program does so.
    private func change(_ body: (inout JSON) throws(ProfileError) -> Void) throws(ProfileError) {
        let folder = FileBytes.parent(of: path)
        do throws(FileError) { try FileBytes.makeFolder(folder) } catch { throw .file(error) }
        let lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else { throw .file(FileError("open", folder, number: errno)) }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .file(FileError("lock", folder, number: errno)) }
        }
        var document = try document()
        var profiles = document["profiles"] ?? [:]
        try body(&profiles)
        document["profiles"] = profiles
        do throws(FileError) {
            try FileBytes.replace(path, with: Array(document.prettyText.utf8), mode: 0o600)
        } catch {
            throw .file(error)
        }
    }

    private static func profile(_ json: JSON) -> ConnectionProfile? {
        guard let connect = json["connect"]?.text else { return nil }
        return ConnectionProfile(
            connect: connect, user: json["user"]?.text, trust: json["trust"]?.text,
            isPinned: json["pinned"]?.flag ?? false, verifiesHostName: json["hostName"]?.flag ?? true)
    }

    private static func absolute(_ file: String) throws(ProfileError) -> String {
        if file.hasPrefix("/") { return file }
        guard let folder = getcwd(nil, 0) else { throw .file(FileError("find", file, number: errno)) }
        defer { free(folder) }
        return String(cString: folder) + "/" + file
    }
}

/// A saved connection could not be used or saved.
public enum ProfileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file or its folder cannot be read or written.
    case file(FileError)
    /// The file is not what this program writes; it is left as it is.
    case damaged(path: String, reason: String)
    /// There is no profile of that name.
    case unknown(name: String, known: [String])
    /// The profile is not saved.
    case refused(name: String, reason: String)
    /// Nobody says where the user's files are.
    case noHome

    /// One line for people: what is wrong and what to do.
    public var description: String {
        switch self {
        case .file(let error): "saved connections: \(error)"
        case .damaged(let path, let reason):
            "saved connections: \(path) cannot be understood (\(reason)): correct or remove it"
        case .unknown(let name, let known):
            "there is no saved connection '\(DisplayText.clean(name))'; there "
                + (known.isEmpty ? "are none yet" : "are: \(DisplayText.clean(known.joined(separator: ", ")))")
        case .refused(let name, let reason): "'\(DisplayText.clean(name))' is not saved: \(reason)"
        case .noHome: "saved connections: neither XDG_CONFIG_HOME nor HOME names a folder"
        }
    }
}
