import IOCOM

/// Why servers can't be announced or found.
public enum DiscoveryError: Error, Equatable, CustomStringConvertible {
    /// No interface has this name.
    case interface(String, known: [String])
    /// Nobody announced what was looked for; the problem is what kept from hearing, if anything did.
    case nothingFound(DiscoveryQuery, seconds: Int, problem: String?)
    /// There is no listener that could be announced, or the names are too long.
    case nothingToAnnounce(String)

    /// For people.
    public var description: String {
        switch self {
        case .interface(let name, let known):
            "this machine has no interface '\(name)'; it has \(known.joined(separator: ", "))"
        case .nothingFound(let query, let seconds, let problem):
            "no server\(query.network.map { " of network \($0)" } ?? "") announced itself within \(seconds) s"
                + (problem.map { " (\($0))" } ?? "")
                + "; is it started with --announce, in the same subnet, and UDP port 6368 open in the firewall?"
        case .nothingToAnnounce(let why): "the server can't be announced: \(why)"
        }
    }
}
