import ArgumentParser
import Dispatch
import Glibc
import IOCOMTransport
import IOServer
import LinuxUpdates
import Programs
import ServerData
import ServerHistory
import TerminalUI

/// `frank run`
struct ServerRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs the server until SIGTERM or Ctrl-C.")

    /// Time in which the last words of a stop reach the peers.
    private static let farewell = Duration.milliseconds(200)

    @OptionGroup var data: DataFolderOption
    @Option(
        name: .customLong("listen"),
        help: """
            Address to listen on, tls://…, tcp://… or serial:///dev/ttyUSB0?baud=115200; port 0 takes a free one. May be \
            repeated.
            """,
        transform: { text in
            do { return try ConnectionAddress(parsing: text) } catch { throw ValidationError("\(error)") }
        })
    var listen: [ConnectionAddress] = []
    @Option(
        help: """
            Take only programs for this server that are signed with this key: a file, or a folder of *.pub; else \
            DATA/package-keys or \(ApplicationSettings.standardKeys) if there are keys.
            """)
    var packageKeys: String?
    @Option(help: "Socket of this machine's installer.") var installer: String?
    @Option(help: "Days that the history goes back. Default: history_days of server.json, else 400.")
    var historyDays: Int?
    @Option(help: "Most MiB of the history. Default: history_megabytes of server.json, else 256.")
    var historyMegabytes: Int?
    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp(
            "Set a limit for what peers may cost, like connections_per_address=500; 'frank status' shows all. May be repeated.",
            valueName: "name=value"))
    var limitTexts: [String] = []
    @Option(
        help: ArgumentHelp(
            "Serve numbers for Prometheus at http://HOST:PORT/metrics; only an address of this machine, like 127.0.0.1:9464.",
            valueName: "host:port"),
        transform: { text in
            do { return try MetricsAddress(parsing: text) } catch { throw ValidationError("\(error)") }
        })
    var metrics: MetricsAddress?
    @Flag(help: "Log one JSON object a line.") var jsonLog = false
    @Flag(
        help: """
            Allow tcp:// beyond this machine, and operators on serial lines: no login is checked there and everything can \
            be read on the way.
            """)
    var insecurePlain = false

    @OptionGroup var announcing: AnnounceOptions

    func validate() throws {
        if let historyDays, !HistorySettings.possibleDays.contains(historyDays) {
            throw ValidationError("--history-days must be 1 to \(HistorySettings.possibleDays.upperBound)")
        }
        if let historyMegabytes, !HistorySettings.possibleMegabytes.contains(historyMegabytes) {
            throw ValidationError("--history-megabytes must be 1 to \(HistorySettings.possibleMegabytes.upperBound)")
        }
        _ = try limits(ServerLimits())
        for address in listen where address.transport == .tcp && !address.isLoopback && !insecurePlain {
            throw ValidationError(
                "\(address) would let everybody in who reaches it, without a login; "
                    + "use tls:// or tcp://127.0.0.1, or add --insecure-plain if you mean it")
        }
    }

    /// SIGHUP, by which services are told to read their files again.
    private static func onHangup(_ body: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
        source.setEventHandler(handler: body)
        source.resume()
        return source
    }

    /// The limits of the settings with those of the command line.
    private func limits(_ settings: ServerLimits) throws -> ServerLimits {
        var limits = settings
        for text in limitTexts {
            do throws(ServerLimits.Problem) { try limits.set(text) } catch {
                throw ValidationError("--limit: \(error)")
            }
        }
        return limits
    }

    func run() async throws {
        let stopSignals = StopSignals()
        let folder = try ServerFolder.open(at: try data.folder())
        let program = OwnProgram(
            folder: folder.path,
            keys: PackageKeys(
                named: packageKeys, usual: [folder.path + "/package-keys", ApplicationSettings.standardKeys]),
            installer: InstallerClient(path: installer))
        _ = try program.keys.load()
        let log = ServerLog(asJSON: jsonLog)
        if folder.settings.isDemo {
            log.add(.problem("this data folder is for demonstrations: everybody knows the password of root"))
        }
        let (limits, problem) = OpenFiles.fit(try limits(folder.settings.limits))
        if let problem { log.add(.problem(problem)) }
        let addresses = listen.isEmpty ? [ConnectionAddress(transport: .tls, host: "0.0.0.0")] : listen
        let server: RunningServer
        do {
            server = try await Server.start(
                ServerConfiguration(
                    folder: folder, listen: addresses, limits: limits, takesSerialOperators: insecurePlain,
                    makeProgram: { program.make($0) },
                    history: historySettings(folder.settings), report: { log.add($0) }))
        } catch {
            await log.finish()
            throw error
        }
        let services: StatusServices
        do { services = try await StatusServices.start(server, folder: folder.path, metrics: metrics, log) } catch {
            await server.stop("it could not start")
            await log.finish()
            throw error
        }
        // Who waits for these lines may ask `frank status` at once.
        for address in server.addresses { Terminal.write("listening on \(address)\n", to: STDOUT_FILENO) }
        let announcements = try announcing.start(
            folder.settings.publish, at: server.addresses.filter { $0.transport != .serial }, log)
        let hangup = Self.onHangup { server.lookAtCertificates() }
        defer { hangup.cancel() }
        let name = await stopSignals.first()
        announcements?.cancel()
        await services.stop()
        await server.stop(name)
        await log.finish()
        try? await Task.sleep(for: Self.farewell)
    }

    /// What the command line says, else the settings of the folder.
    private func historySettings(_ settings: ServerSettings) -> HistorySettings {
        let usual = HistorySettings()
        return HistorySettings(
            days: historyDays ?? settings.historyDays ?? usual.days,
            megabytes: historyMegabytes ?? settings.historyMegabytes ?? usual.bytes >> 20)
    }
}
