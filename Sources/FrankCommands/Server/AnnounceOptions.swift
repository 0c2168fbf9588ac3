import ArgumentParser
import Discovery
import Glibc
import IOCOM
import IOCOMTransport
import IOServer
import TerminalUI

/// The options by which a server makes itself known.
struct AnnounceOptions: ParsableArguments {
    @Flag(
        help: "Announce the published networks by multicast (UDP port 6368), so that devices and operators find them.")
    var announce = false

    @Option(
        name: .customLong("announce-on"),
        help: ArgumentHelp(
            "Announce on this interface only. May be repeated; else on all that can multicast.",
            valueName: "interface"))
    var interfaces: [String] = []

    @Option(help: "Name for people in the announcements; else that of the machine.")
    var nickname: String?

    func validate() throws {
        guard announce || (interfaces.isEmpty && nickname == nil) else {
            throw ValidationError("--announce-on and --nickname need --announce")
        }
        do { _ = try announcer(of: [], at: [], report: { _ in }) } catch {
            throw ValidationError("--nickname: \(error)")
        }
    }

    /// Announces until the task is cancelled; nil when that was not asked for.
    func start(_ networks: [NetworkName], at addresses: [ConnectionAddress], _ log: ServerLog) throws -> Task<
        Void, Never
    >? {
        guard announce else { return nil }
        let announcer = try announcer(of: networks, at: addresses) { log.add(.problem($0)) }
        let names = networks.map { "\($0)" }.joined(separator: ", ")
        Terminal.write("announcing \(names) as \(nickname ?? Announcer.machineName)\n", to: STDOUT_FILENO)
        return Task { await announcer.run() }
    }

    private func announcer(
        of networks: [NetworkName], at addresses: [ConnectionAddress], report: @escaping @Sendable (String) -> Void
    ) throws(DiscoveryError) -> Announcer {
        try Announcer(
            nickname: nickname ?? Announcer.machineName, networks: networks, listen: addresses,
            interfaces: interfaces.isEmpty ? .all : .named(interfaces), report: report)
    }
}
