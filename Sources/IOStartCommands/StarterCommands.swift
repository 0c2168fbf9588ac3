import ArgumentParser
import ByteTools
import Glibc
import LinuxUpdates
import PackedJSON
import TerminalUI

/// Where a running starter is found.
struct StarterSocket: ParsableArguments {
    @Option(help: ArgumentHelp("Where the starter listens.", valueName: "path"))
    var socket = InstallerClient.standardPath

    /// How long a starter that was just started may take until it listens: an init script does not wait for it.
    private static let patience = Duration.seconds(3)

    func ask(_ request: InstallerRequest.Kind) throws -> [ListedApplication] {
        let reply = try answer(to: request)
        switch reply {
        case .list(let applications): return applications
        case .refused(_, let reason): throw StarterFailure(status: 1, description: reason)
        case .state, .restarting, .said: throw StarterFailure(status: 1, description: "the answer is not understood")
        }
    }

    private func answer(to request: InstallerRequest.Kind) throws -> InstallerReply {
        let clock = ContinuousClock()
        let end = clock.now + Self.patience
        while true {
            do throws(StorageFailure) { return try InstallerClient(path: socket).ask(request) } catch {
                guard error.systemError == ENOENT || error.systemError == ECONNREFUSED, clock.now < end else {
                    throw StarterFailure(status: 3, description: "no starter answers: \(error)")
                }
                Pause.wait(milliseconds: 100)
            }
        }
    }
}

/// `iostart reload`
struct StarterReload: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Takes over changed configuration; applications that did not change go on.")

    @OptionGroup var starter: StarterSocket
    @Option(
        name: .customLong("restart"),
        help: ArgumentHelp(
            "Also start this application anew, unless systemd does that; may be repeated.", valueName: "package"))
    var restart: [String] = []

    func run() throws { _ = try starter.ask(.reload(restart: restart)) }
}

/// `iostart restart`
struct StarterRestart: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Takes over changed configuration and starts applications anew, by systemd or from here.")

    @OptionGroup var starter: StarterSocket
    @Argument(help: ArgumentHelp("Applications, like candy or iocafe-candy.", valueName: "application"))
    var applications: [String]

    func run() throws { _ = try starter.ask(.restart(applications)) }
}

/// `iostart status`
struct StarterStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the applications, how they are started and how their updates stand.")

    @OptionGroup var starter: StarterSocket
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let applications = try starter.ask(.list)
        if json {
            let list = JSON.array(applications.map(\.json))
            Terminal.write(list.compactText + "\n", to: STDOUT_FILENO)
            return
        }
        for one in applications {
            var words = [one.package, one.state.version ?? "not installed", one.started]
            if one.state.stage != .idle { words.append("\(one.state.stage)") }
            if let result = one.state.result { words.append("last update: \(result)") }
            if !one.state.reason.isEmpty { words.append(one.state.reason) }
            Terminal.write(DisplayText.clean(words.joined(separator: "  ")) + "\n", to: STDOUT_FILENO)
        }
    }
}
