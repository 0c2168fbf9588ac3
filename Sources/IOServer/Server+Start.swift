import ByteTools
import DeviceStorage
public import IOCOMTransport
import NIOCore
import NIOPosix
import ServerData
import ServerHistory

/// A server that runs. Can be used from anywhere.
public struct RunningServer: Sendable {
    /// Where it listens, in the order of the configuration, with real ports.
    public let addresses: [ConnectionAddress]
    private let server: NIOLoopBound<Server>
    private let loop: any EventLoop

    init(_ server: NIOLoopBound<Server>, on loop: any EventLoop, addresses: [ConnectionAddress]) {
        self.server = server
        self.loop = loop
        self.addresses = addresses
    }

    /// Looks at once whether there are other certificates in the data folder, which otherwise happens every two seconds.
    public func lookAtCertificates() {
        let server = server
        loop.execute { server.value.certificates?.look() }
    }

    /// Ends listeners, connections and transfers; returns when everything is stored.
    public func stop(_ reason: String = "asked to stop") async {
        let server = server
        try? await loop.flatSubmit { server.value.stop(reason) }.get()
    }
}

extension Server {
    /// Starts a server.
    ///
    /// - Throws: ``ServerStartError`` when another process uses the data folder, a file is damaged or an address can't be
    ///   listened on; nothing runs then.
    public static func start(_ configuration: ServerConfiguration) async throws -> RunningServer {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let server = try await NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try Material(configuration) }
            .flatMapThrowing { NIOLoopBound(try Server($0, on: loop), eventLoop: loop) }
            .get()
        var addresses: [ConnectionAddress] = []
        do {
            for address in configuration.listen {
                addresses.append(try await loop.flatSubmit { server.value.listen(address) }.get())
            }
        } catch {
            try? await loop.flatSubmit { server.value.stop("it could not start") }.get()
            throw ServerStartError("\(error); name another address with --listen")
        }
        return RunningServer(server, on: loop, addresses: addresses)
    }
}

extension Server.Material {
    /// Name of the file whose lock says that a process uses the folder.
    private static let lockName = "lock"

    init(_ configuration: ServerConfiguration) throws {
        let folder = configuration.folder
        lock = try Self.takeLock(folder.path)
        let log = configuration.report
        history = History(folder: folder.path, settings: configuration.history) { log(.problem($0)) }
        let configuration = configuration.recording(HistoryRecorder(history, server: folder.settings))
        self.configuration = configuration
        tls = try CertificateKeeper.context(folder)
        store = try FilePersistentStore(folder: folder.path)
        secret = try ServerSecret(store)
        let (book, problems) = AccountsBook.load(
            folder, store, cost: configuration.passwordCost, report: configuration.report)
        self.book = book
        for problem in problems { configuration.report(.problem(problem)) }
        let (table, problem) = folder.automaticNumbers()
        numbers = table
        if let problem { configuration.report(.problem(problem)) }
        defaults = try ServerDescription.defaults(folder.settings, listen: configuration.listen)
        // No account with a password that everybody knows: nobody would change it.
        accountDefaults = try Accounts().packed()
        facts = HostFacts()
        program = configuration.makeProgram(store)
    }

    private static func takeLock(_ folder: String) throws -> File {
        let path = "\(folder)/\(lockName)"
        do throws(StorageFailure) {
            let file: File
            do throws(StorageFailure) { file = try File(path, .update) } catch {
                guard error.isNoSuchFile else { throw error }
                file = try File(path, .create)
            }
            try file.lock()
            return file
        } catch {
            throw ServerStartError(
                "\(error): another frank may use this data folder; stop it or name another with --data")
        }
    }
}
