import ByteTools
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import IOCOMTransport
import Logging
import NIOCore
import NIOSSL
import PackedJSON

/// ispy as a web server: its windows as a page, over a local API (docs/openapi.yaml).
public struct WebServer: Sendable {
    /// Bytes of a token file, and connections at once.
    private static let mostConnections = 256
    private static let idleTime = TimeAmount.seconds(120)

    private let settings: WebSettings

    /// A server that runs nothing yet.
    public init(_ settings: WebSettings) { self.settings = settings }

    /// Serves until the task is cancelled. `started` gets the port once it accepts connections.
    public func run(started: @escaping @Sendable (Int) -> Void) async throws {
        let guardian = WebGuard(settings, token: try token())
        let service = WebService(settings)
        TemporaryUpload.clear(service.uploads)
        let router = Router(context: WebContext.self)
        router.add(middleware: guardian)
        WebRoutes(service, guardian).add(to: router)
        var logger = Logger(label: "ispy web")
        logger.logLevel = .error
        let configuration = ApplicationConfiguration(
            address: .hostname(settings.host, port: settings.port),
            availableConnectionsDelegate: .maximum(Self.mostConnections, logger: logger))
        let http = HTTP1Channel.Configuration(idleTimeout: Self.idleTime)
        let server: HTTPServerBuilder =
            if let tls = settings.tls {
                try .tls(.http1(configuration: http), tlsConfiguration: tls.makeConfiguration())
            } else {
                .http1(configuration: http)
            }
        let application = Application(
            router: router, server: server, configuration: configuration,
            onServerRunning: { channel in started(channel.localAddress?.port ?? settings.port) }, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await service.shelf.follow() }
            group.addTask { await service.history.follow(service.jobs.board) }
            group.addTask { try await application.run() }
            // The first end is the end: the server's own, or the caller's wish.
            do { try await group.next() } catch is CancellationError {}
            group.cancelAll()
        }
        await service.connections.closeAll()
    }

    /// What scripts show; kept, so that they need not be changed at each start.
    private func token() throws -> String {
        try Folder.makePrivate(settings.data)
        let path = settings.data + "/web-token"
        if case .file(let size) = Folder.entry(path), size > 0, size <= 1000 {
            let bytes = try File(path, .read).read(at: 0, count: size)
            return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
        }
        let made = Secret.text()
        try ReplacementFile.write(path, Array((made + "\n").utf8))
        return made
    }
}
