import Access
import ByteTools
import DeviceDescription
import DeviceStorage
import IOCOM
import IOCOMTransport
import IODevice
import IONode
import Installers
import NIOCore
import NIOPosix
import NIOSSL
import ServerData
import ServerHistory

/// An IO server: lets devices and operators in, and forwards between them what each may see.
///
/// Confined to its node's loop. ``start(_:)`` makes one; the handle it gives can be used from anywhere.
public final class Server {
    let node: Node
    let settings: ServerSettings
    let published: Set<NetworkName>
    let takesSerialOperators: Bool
    let book: AccountsBook
    let report: @Sendable (ServerEvent) -> Void
    let history: History
    let numbers: NumberKeeper
    let queue: LoginQueue
    let own: OwnDevice
    let accounts: [NetworkName: AccountsDevice]
    let ownDevices: Set<DevicePath>
    let accountsDevices: Set<DevicePath>
    /// The device that the server itself is.
    let serverPath: DevicePath
    /// What passes to and from devices whose blocks somebody wrote.
    var traffic: [DevicePath: DeviceTraffic] = [:]
    /// Devices that are given the server's certificates, by connection.
    var pairings: [UInt64: Pairing] = [:]
    /// When that was last done or tried, for a while.
    var lastPairing: [DevicePath: Milliseconds] = [:]
    let folder: ServerFolder
    let limits: ServerLimits
    var gate: LoginGate
    var census: Census
    /// What limits kept out, as far as it was reported.
    var refusalReport = RefusalReport()
    var seenGeneration: UInt64 = 0
    var reviewedGeneration: UInt64 = 0
    var directory = DeviceDirectory()
    /// Says that this process uses the data folder, until the server has stopped.
    private var lock: File?
    private var tls: NIOSSLContext
    private(set) var listeners: [Listener] = []
    private var ticker: RepeatedTask?
    let startedAt: Milliseconds
    /// The same by the clock on the wall, seconds since 1970.
    let startedSeconds: Int
    /// Version of this program.
    let version: String
    private var ticks = 0
    /// The CA's certificate, with which the server looks at itself as others do.
    private let trustFile: String
    /// The server's own program; nil when it can't be replaced over the network.
    private(set) var update: ServerUpdate?
    private(set) var certificates: CertificateKeeper?

    /// What is read from files before the loop starts.
    struct Material {
        let configuration: ServerConfiguration
        let lock: File
        let tls: NIOSSLContext
        let store: any PersistentStore
        let book: AccountsBook
        let numbers: AutomaticNumbers
        let secret: ServerSecret
        let defaults: [UInt8]
        let accountDefaults: [UInt8]
        let facts: HostFacts
        let program: ServerProgram?
        let history: History
    }

    init(_ material: Material, on loop: any EventLoop) throws {
        let configuration = material.configuration
        let settings = configuration.folder.settings
        let report = configuration.report
        self.settings = settings
        folder = configuration.folder
        self.report = report
        history = material.history
        book = material.book
        lock = material.lock
        tls = material.tls
        trustFile = configuration.folder.path + "/trust.pem"
        published = Set(settings.publish)
        takesSerialOperators = configuration.takesSerialOperators
        limits = configuration.limits
        gate = LoginGate(limits.logins)
        census = Census(limits)
        queue = LoginQueue(material.book, limits.logins, on: loop)
        numbers = NumberKeeper(
            material.numbers, configuration.folder, material.secret, on: loop, report: report)
        node = Node(
            identity: NodeIdentity(name: "frank", number: settings.deviceNumber, network: settings.network),
            isDynamic: true, limits: limits.node, on: loop)
        startedAt = node.now
        startedSeconds = ServerStatus.wallClock
        version = material.program?.version ?? material.facts.buildTime ?? ""

        let path = DevicePath(name: "frank", number: settings.deviceNumber, network: settings.network)
        serverPath = path
        let weakSelf = WeakServer()
        own = try OwnDevice(
            ServerDescription.server(ring: configuration.ring, isUpdatable: material.program != nil), path: path,
            on: node,
            service: ServerBlockService(
                store: material.store, defaults: material.defaults,
                installer: material.program?.updatable.installer),
            report: { event in
                Self.note(event, path, report)
                weakSelf.server?.update?.note(event)
            })
        var accounts: [NetworkName: AccountsDevice] = [:]
        var paths: Set<DevicePath> = []
        for (index, network) in settings.publish.enumerated() {
            let path = DevicePath(name: "accounts", number: UInt32(index + 1), network: network)
            paths.insert(path)
            let book = material.book
            accounts[network] = AccountsDevice(
                try OwnDevice(
                    ServerDescription.accounts(), path: path, on: node,
                    service: AccountsBlockService(
                        book, network, block: ServerSettings.accountsBlock + 1 + index, store: material.store,
                        defaults: material.accountDefaults, history: material.history),
                    report: { event in
                        guard case .stored = event else { return Self.note(event, path, report) }
                        report(
                            .accountsReplaced(
                                book.accounts(of: network) ?? Accounts(), of: network,
                                change: book.lastChange(of: network),
                                by: weakSelf.server?.traffic[path]?.writer))
                    }))
        }
        self.accounts = accounts
        accountsDevices = paths
        try Self.addRoles(paths, on: node)
        ownDevices = paths.union([path])
        node.role = self
        describe(material.facts, version: version)
        weakSelf.server = self
        if let program = material.program {
            update = ServerUpdate(program, of: own, on: loop, report: report)
        }
        certificates = CertificateKeeper(configuration.folder, shownBy: own, on: loop, report: report) { tls in
            weakSelf.server?.use(tls)
        }
        let bound = NIOLoopBound(weakSelf, eventLoop: loop)
        ticker = loop.scheduleRepeatedTask(initialDelay: .milliseconds(500), delay: .milliseconds(500)) { _ in
            bound.value.server?.tick()
        }
    }

    private static func note(
        _ event: ControlStreamEvent, _ path: DevicePath, _ report: @Sendable (ServerEvent) -> Void
    ) {
        guard case .uploadFailed(let block, let status, let reason) = event else { return }
        report(.problem("writing block \(block) of \(path) failed with status \(status.rawValue): \(reason)"))
    }

    private func describe(_ facts: HostFacts, version: String) {
        let blocks = own.blocks
        blocks.set("nc_nr", .text("\(settings.deviceNumber)"))
        blocks.set("nc_net", .text("\(settings.network)"))
        blocks.set("nc_status", .integer(0))
        if !version.isEmpty {
            blocks.set("si_package", .text(version))
            blocks.set("upd_version", .text(version))
        }
        blocks.set("si_os", .text(facts.system.name))
        blocks.set("si_osver", .text(facts.system.version))
        blocks.set("si_arch", .text(facts.system.machine))
        blocks.set("si_hw", .text("generic"))
        blocks.set("upd_state", .integer(0))
        blocks.set("upd_progress", .integer(0))
        updateResources()
    }

    private func updateResources() {
        own.blocks.set("rm_sockets", .integer(Int64(min(node.connections.count, Int(UInt16.max)))))
        own.blocks.set("rm_boottime", .integer((node.now - startedAt) / 60_000))
        own.blocks.publish()
    }

    private func tick() {
        ticks += 1
        for device in accounts.values where device.tick(now: node.now) {}
        for path in directory.takeLeaving() {
            report(.deviceLeft(path, reason: "its connection withdrew it"))
        }
        // Once in ten seconds is enough for people and costs next to nothing.
        if ticks.isMultiple(of: 20) { updateResources() }
        update?.tick()
        if ticks.isMultiple(of: 2) { turnTraffic() }
        reportRefusals()
        turnPairings()
        endRemoved()
        certificates?.tick()
        if ticks.isMultiple(of: 4), let update, update.isOnTrial,
            let listener = listeners.first(where: { $0.address.transport != .serial })
        {
            AcceptProbe.run(listener.address, trustFile: trustFile, on: node.loop) { update.accepted() }
        }
        node.flushWaiting()
    }

    private func use(_ tls: NIOSSLContext) {
        self.tls = tls
        for listener in listeners { listener.use(tls) }
    }

    // MARK: Life

    func listen(_ address: ConnectionAddress) -> EventLoopFuture<ConnectionAddress> {
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        return node.listen(address, tls: address.transport == .tls ? tls : nil)
            .assumeIsolated()
            .map { listener in
                let server = bound.value
                server.listeners.append(listener)
                if server.listeners.count == 1 {
                    server.own.blocks.set("nc_connect", .text(listener.address.description))
                    server.own.blocks.publish()
                }
                server.report(.listening(listener.address))
                return listener.address
            }
            .nonisolated()
    }

    /// Ends everything; the future completes when nothing more is written to the data folder.
    func stop(_ reason: String) -> EventLoopFuture<Void> {
        report(.stopping(reason))
        ticker?.cancel()
        ticker = nil
        for listener in listeners { listener.close().whenComplete { _ in } }
        listeners = []
        own.streams.stop()
        for device in accounts.values { device.device.streams.stop() }
        for link in node.connections { link.end("this server is stopping") }
        node.shutDown()
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        let closed = node.loop.makePromise(of: Void.self)
        // The ends of connections, which the transports tell a moment later, belong into the history too.
        return Farewell.wait(on: node.loop) { bound.value.node.connections.isEmpty }
            .flatMap {
                let history = bound.value.history
                closed.completeWithTask { await history.close() }
                return closed.futureResult
            }
            .flatMap { bound.value.numbers.saveNow() }
            .always { _ in bound.value.lock = nil }
    }

    /// Every stream that may have something to do.
    func turnStreams(all: Bool) {
        if all || own.streams.isAtWork { own.streams.turn() }
        for device in accounts.values where all || device.device.streams.isAtWork { device.device.streams.turn() }
    }
}

private final class WeakServer {
    weak var server: Server?
}
