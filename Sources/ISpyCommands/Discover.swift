import ArgumentParser
import Discovery
import IOCOM
import IOCOMTransport
import TerminalUI

/// `ispy discover`
struct Discover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discover", abstract: "Lists the servers that announce themselves.",
        discussion: """
            Servers announce themselves every four seconds when they run with --announce. Nothing of an announcement is \
            proved: whether the right server is at an address shows its certificate, when you connect.
            """)

    @Option(help: "Only servers of this network.")
    var network: String?

    @Option(help: ArgumentHelp("How long to listen.", valueName: "seconds"))
    var seconds = 6

    @Option(
        help: ArgumentHelp("Listen on this interface only. May be repeated; else on all.", valueName: "name"))
    var interface: [String] = []

    @Flag(help: "Print results as JSON.")
    var json = false

    func validate() throws {
        guard (1...3_600).contains(seconds) else { throw ValidationError("--seconds takes 1 to 3600") }
        guard network.map({ NetworkName($0)?.isEmpty == false }) ?? true else {
            throw ValidationError("--network takes 1 to 23 letters and digits")
        }
    }

    func run() async throws {
        let query = DiscoveryQuery(network: network.flatMap { NetworkName($0) })
        let finder = Finder(interfaces: interface.isEmpty ? .all : .named(interface))
        do throws(DiscoveryError) { try await finder.check() } catch { throw Failure(.usage, error.description) }
        let (found, problem) = await finder.servers(query, for: .seconds(seconds))
        if json { Output.json(.lines(found.map(Self.json))) }
        guard !found.isEmpty else {
            throw Failure(
                .notFound, DiscoveryError.nothingFound(query, seconds: seconds, problem: problem).description)
        }
        if json { return }
        var table = Table(["server", "network", "transport", .init("address", keepsWhole: true)])
        for server in found {
            table.add([
                "\(server.nickname)", "\(server.network)", server.address.transport.rawValue, "\(server.address)",
            ])
        }
        Output.table(table)
    }

    private static func json(_ server: FoundServer) -> JSONText {
        .object([
            ("server", .string("\(server.nickname)")), ("network", .string("\(server.network)")),
            ("transport", .string(server.address.transport.rawValue)), ("address", .string("\(server.address)")),
        ])
    }
}
