import Access
import DeviceDescription
import IOCOM
import IOCOMTransport
import IONode
import NIOCore
import NIOSSL

/// The operator's node: one connection up to a server (or a port that devices connect to), and the devices seen there.
///
/// Of every device it takes `info` and `exp`; other blocks when something is done with the device. Confined to its loop.
final class OperatorSession: NodeRole {
    let node: Node
    private(set) var devices: [DevicePath: RemoteDevice] = [:]
    /// A first snapshot came: everything the server had to tell of at the start was told (wire-protocol.md 3.3).
    private(set) var hasData = false
    /// What this operator is in each network, as the server tells; servers of the original tell nothing.
    private(set) var roles: [NetworkName: Role] = [:]
    /// Why there is no connection.
    private(set) var closedBecause: OperatorError?

    let target: OperatorConnection
    private let tls: Security
    private var link: NodeLink?
    private var waiters: [UInt64: () -> Bool] = [:]
    private var observers: [UInt64: (DevicePath?) -> Void] = [:]
    private var nextWaiter: UInt64 = 0
    private var arrivals: UInt64 = 0
    private var jobs: [ObjectIdentifier: any TransferJob] = [:]
    private var delay = ReconnectDelay(shortest: 500, longest: 5_000)
    private var isStopped = false
    /// Failures of a serial line before anything was heard.
    private var lineFailures = 0
    /// How many of them were the server's word that it ends the connection. One that lets nobody in says so at each try; one
    /// that begins anew says so once.
    private var lineEnds = 0
    private var isServer = false
    private var nextNumber = AutomaticNumber.first
    private var listener: Listener?

    /// What TLS needs, for the side that this is.
    struct Security: Sendable {
        var client: TLSClient?
        var server: NIOSSLContext?
    }

    init(_ target: OperatorConnection, tls: Security, on loop: any EventLoop) {
        self.target = target
        self.tls = tls
        node = Node(
            identity: NodeIdentity(name: target.user, number: 0, network: target.network), isDynamic: true,
            limits: NodeLimits(blocksPerLink: 100_000, bytesPerLink: 1 << 30), on: loop)
        node.role = self
    }

    // MARK: Connection

    /// Connects once; later losses are mended as long as ``stop()`` was not called.
    func connect() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        return node.connect(
            to: target.address, tls: tls.client, direction: .down, password: target.password
        )
        .assumeIsolated()
        .map { link in
            bound.value.link = link
            bound.value.closedBecause = nil
        }
        .nonisolated()
        .flatMapErrorThrowing { error in throw OperatorError(.noConnection, String(describing: error)) }
    }

    /// Waits for devices at a port of its own, the server role of the original.
    func listen() -> EventLoopFuture<ConnectionAddress> {
        isServer = true
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        return node.listen(target.address, tls: tls.server)
            .assumeIsolated()
            .map { listener in
                bound.value.listener = listener
                return listener.address
            }
            .nonisolated()
            .flatMapErrorThrowing { error in throw OperatorError(.noConnection, String(describing: error)) }
    }

    func stop() {
        isStopped = true
        _ = listener?.close()
        node.shutDown()
        for observer in observers.values { observer(nil) }
    }

    private func reconnect() {
        guard !isStopped, !isServer else { return }
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        node.loop.scheduleTask(in: .milliseconds(delay.next(random: Double.random(in: 0..<1)))) {
            guard !bound.value.isStopped else { return }
            bound.value.connect().whenFailure { _ in bound.value.reconnect() }
        }
    }

    /// The server said who it is, and has not closed the connection.
    var isAuthenticated: Bool { link?.isReady == true }

    /// The network of the login.
    var network: NetworkName { target.network }

    // MARK: Waiting

    /// Completes with the first value `check` gives, looked at now and after each change; nil after `timeout`.
    func wait<Value: Sendable>(
        _ timeout: TimeAmount, _ check: @escaping (OperatorSession) -> Value?
    ) -> EventLoopFuture<Value?> {
        if let value = check(self) { return node.loop.makeSucceededFuture(value) }
        let promise = node.loop.makePromise(of: Value?.self)
        let id = nextWaiter
        nextWaiter += 1
        waiters[id] = { [unowned self] in
            guard let value = check(self) else { return false }
            promise.succeed(value)
            return true
        }
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        node.loop.scheduleTask(in: timeout) {
            if bound.value.waiters.removeValue(forKey: id) != nil { promise.succeed(nil) }
        }
        return promise.futureResult
    }

    private func changed(_ device: DevicePath? = nil) {
        for (id, waiter) in waiters where waiter() { waiters[id] = nil }
        for observer in observers.values { observer(device) }
    }

    /// `touched` is called with the device that changed, nil when it may be any.
    func addObserver(_ touched: @escaping (DevicePath?) -> Void) -> UInt64 {
        nextWaiter += 1
        observers[nextWaiter] = touched
        return nextWaiter
    }

    func removeObserver(_ id: UInt64) { observers[id] = nil }

    /// For tests: nobody may be left behind.
    var observerCount: Int { observers.count }

    /// True when the list of devices is as complete as it can be known to be.
    var isSettled: Bool { hasData && devices.values.allSatisfy(\.isComplete) }

    // MARK: Blocks

    /// Takes over more blocks of a device; false when it does not have them.
    func take(_ names: [BlockName], of device: RemoteDevice) -> Bool {
        for name in names where device.blocks[name] == nil {
            guard let info = device.offers[name] else { return false }
            node.take(info, as: BlockPath(block: name, device: device.path), on: device.link)
        }
        node.flushWaiting()
        return names.allSatisfy { device.blocks[$0] != nil }
    }

    func start(_ job: any TransferJob) {
        jobs[ObjectIdentifier(job)] = job
        job.turn()
        node.flushWaiting()
    }

    func finished(_ job: any TransferJob) {
        jobs[ObjectIdentifier(job)] = nil
        changed()
    }

    private func turnJobs() {
        for job in jobs.values { job.turn() }
    }

    // MARK: NodeRole

    func authorize(_ peer: Authentication, on link: NodeLink) {
        // As the original's server role: whoever connects is shown.
        link.accept(.everything)
    }

    func assignNumber(to device: DevicePath, on link: NodeLink) -> UInt32? {
        defer { nextNumber = nextNumber == AutomaticNumber.last ? AutomaticNumber.first : nextNumber + 1 }
        return nextNumber
    }

    func linkReady(_ link: NodeLink) {
        delay.succeeded()
        changed()
    }

    func linkClosed(_ link: NodeLink, reason: String) {
        for (path, device) in devices where device.link === link {
            devices[path] = nil
            for observer in observers.values { observer(path) }
        }
        guard !isServer else {
            turnJobs()
            return changed()
        }
        if isNoise(link) {
            self.link = nil
            return reconnect()
        }
        // After the login a server that refuses just closes (wire-protocol.md 4.3).
        let wasRefused = link.peer != nil && !hasData
        let text = "\(target.address): \(reason)"
        closedBecause =
            wasRefused
            ? OperatorError(
                .loginRefused,
                link.isSerial
                    ? "\(target.address) lets no operator in; a frank does so on a serial line with --insecure-plain"
                    : "\(target.address) closed the connection after the login of \(target.user).\(target.network): wrong user name, password or network"
            )
            : OperatorError(.noConnection, text)
        self.link = nil
        roles = [:]
        let hadData = hasData
        hasData = false
        turnJobs()
        changed()
        if hadData { reconnect() }
    }

    /// A serial line that fails before the server has told anything is tried again some times.
    private func isNoise(_ link: NodeLink) -> Bool {
        guard link.isSerial, !hasData, let violation = link.violation, lineFailures < Self.mostLineFailures,
            lineEnds < Self.mostLineEnds
        else {
            (lineFailures, lineEnds) = (0, 0)
            return false
        }
        if case .frameNumber(_, SerialControl.disconnect) = violation { lineEnds += 1 }
        lineFailures += 1
        return true
    }

    private static let mostLineFailures = 8
    private static let mostLineEnds = 2

    func wantsBlock(_ path: BlockPath, _ info: BlockInfo, on link: NodeLink) -> Bool {
        if let role = Self.role(path) {
            roles[path.device.network] = role
            return true
        }
        let device =
            devices[path.device]
            ?? {
                arrivals += 1
                let device = RemoteDevice(path: path.device, link: link, arrival: arrivals)
                devices[path.device] = device
                return device
            }()
        device.offers[path.block] = info
        return path.block == "info" || path.block == "exp"
    }

    /// A server shows each operator one block named after its role (docs/protocol-extensions.md).
    private static func role(_ path: BlockPath) -> Role? {
        let name = path.block.description
        guard path.device.name == "accounts", name.hasPrefix("role_") else { return nil }
        return Role(privileges: String(name.dropFirst("role_".count)))
    }

    /// The certificate that the server showed, DER.
    var serverCertificate: [UInt8]? { link?.peerCertificate }

    /// What this operator may do in a network.
    func access(to network: NetworkName) -> Access { roles[network].map { Access($0) } ?? .everything }

    /// A device that restarted can be here before its old connection has ended. It comes again; left alone it would wait for ever.
    func blockIsTaken(_ path: BlockPath, on link: NodeLink) {
        if isServer { link.close("\(path.device) still has another connection") }
    }

    func blockAppeared(_ block: MemoryBlock, on link: NodeLink) {
        devices[block.path.device]?.blocks[block.path.block] = block
    }

    func blockChanged(_ block: MemoryBlock, on link: NodeLink) {
        hasData = true
        if let device = devices[block.path.device] {
            device.received.insert(block.path.block)
            if block.path.block == "info" { read(block, of: device) }
        }
        turnJobs()
        changed(block.path.device)
    }

    func blockRemoved(_ block: MemoryBlock) {
        guard let device = devices[block.path.device] else { return }
        device.blocks[block.path.block] = nil
        device.offers[block.path.block] = nil
        if block.path.block == "info" || device.blocks.isEmpty { devices[block.path.device] = nil }
        turnJobs()
        changed(block.path.device)
    }

    func drained() { turnJobs() }

    private func read(_ block: MemoryBlock, of device: RemoteDevice) {
        let result = block.withBytes { span -> Result<DeviceInfo, DeviceInfoError>? in
            // A server can tell of a block before its content came: all of it is zero then.
            guard !span.withUnsafeBytes({ $0.allSatisfy { $0 == 0 } }) else { return nil }
            do throws(DeviceInfoError) { return .success(try DeviceInfo(packed: span)) } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let info):
            device.info = info
            device.problem = nil
        case .failure(let error): device.problem = "its info block is damaged: \(error)"
        case nil: break
        }
    }
}
