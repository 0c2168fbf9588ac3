import ArgumentParser
import ByteTools
import Glibc

/// The option `--data`.
struct DataFolderOption: ParsableArguments {
    @Option(
        name: .customLong("data"),
        help: "Data folder. Default: /var/lib/iocom/frank for root, else ~/.local/share/iocom/frank.")
    var path: String?

    /// Where a service has its data.
    static let standard = "/var/lib/iocom/frank"

    /// The folder meant. For root, who would leave files that the server can't read, this process becomes the folder's
    /// owner.
    func folder() throws -> String {
        let path = try chosen()
        try Self.becomeOwner(of: path)
        return path
    }

    private static func becomeOwner(of path: String) throws {
        guard geteuid() == 0, let owner = Folder.owner(of: path), owner.user != 0 else { return }
        var groups = owner.group
        guard setgroups(1, &groups) == 0, setgid(owner.group) == 0, setuid(owner.user) == 0 else {
            throw FolderOwnerError(
                description: "frank can't act as the owner of \(path): \(String(cString: strerror(errno)))")
        }
    }

    private func chosen() throws -> String {
        if let path {
            guard !path.isEmpty else { throw ValidationError("--data needs the path of a folder") }
            return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        }
        if getuid() == 0 { return Self.standard }
        guard let home = getenv("HOME").map({ String(cString: $0) }), !home.isEmpty else {
            throw ValidationError("HOME is not set: name the data folder with --data")
        }
        return "\(home)/.local/share/iocom/frank"
    }
}

/// Root could not become the owner of a data folder.
struct FolderOwnerError: Error, CustomStringConvertible {
    let description: String
}
