import ArgumentParser
import Glibc

/// The option `--data`.
struct DataFolderOption: ParsableArguments {
    @Option(
        name: .customLong("data"),
        help: "Data folder. Default: /var/lib/iocom/frank for root, else ~/.local/share/iocom/frank.")
    var path: String?

    /// The folder meant.
    func folder() throws -> String {
        if let path {
            guard !path.isEmpty else { throw ValidationError("--data needs the path of a folder") }
            return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        }
        if getuid() == 0 { return "/var/lib/iocom/frank" }
        guard let home = getenv("HOME").map({ String(cString: $0) }), !home.isEmpty else {
            throw ValidationError("HOME is not set: name the data folder with --data")
        }
        return "\(home)/.local/share/iocom/frank"
    }
}
