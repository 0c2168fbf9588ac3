import Access
public import ByteTools
import DeviceDescription
public import IOCOM
public import IOCOMTransport
import IONode
import NIOCore
import NIOPosix

/// An operator's access to devices: lists them, moves blocks, reads and sets signals.
///
/// Safe to use from any task; everything happens on one event loop inside.
public struct Operator: Sendable {
    let session: NIOLoopBound<OperatorSession>
    let loop: any EventLoop
    private let group: MultiThreadedEventLoopGroup
    /// Where it is connected or listens.
    public let address: ConnectionAddress

    // MARK: Opening and closing

    /// Connects to a server and waits until the login is known to have worked and the devices are listed.
    public static func connect(_ target: OperatorConnection) async throws -> Operator {
        let tls = OperatorSession.Security(client: try Self.context(target.address) { try target.trust.makeClient() })
        let (group, loop) = makeLoop()
        do {
            let session = try await loop.submit {
                NIOLoopBound(OperatorSession(target, tls: tls, on: loop), eventLoop: loop)
            }.get()
            try await loop.flatSubmit { session.value.connect() }.get()
            let operator_ = Operator(session: session, loop: loop, group: group, address: target.address)
            try await operator_.settle(timeout: .seconds(10))
            return operator_
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Waits for devices at a port of its own instead of connecting to a server (the server role of the original).
    public static func listen(_ target: OperatorConnection) async throws -> Operator {
        let server = try Self.context(target.address) {
            guard let credentials = target.serverCredentials else {
                throw OperatorError(
                    .failed, "listening on TLS needs a certificate and a key: give --certificate and --key")
            }
            return try credentials.makeContext()
        }
        let tls = OperatorSession.Security(server: server)
        let (group, loop) = makeLoop()
        do {
            let session = try await loop.submit {
                NIOLoopBound(OperatorSession(target, tls: tls, on: loop), eventLoop: loop)
            }.get()
            let address = try await loop.flatSubmit { session.value.listen() }.get()
            return Operator(session: session, loop: loop, group: group, address: address)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func makeLoop() -> (MultiThreadedEventLoopGroup, any EventLoop) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        return (group, group.next())
    }

    private static func context<Context>(
        _ address: ConnectionAddress, _ make: () throws -> Context
    ) throws -> Context? {
        guard address.transport == .tls else { return nil }
        do { return try make() } catch let error as OperatorError { throw error } catch {
            throw OperatorError(
                .failed, "the certificate files cannot be used: \(error); give --trust with the server's trust.pem")
        }
    }

    /// Ends the connection.
    public func close() async {
        let session = session
        _ = try? await loop.submit { session.value.stop() }.get()
        try? await group.shutdownGracefully()
    }

    // MARK: Devices

    /// Waits until the server has told of everything there is; throws when the connection fails meanwhile.
    private func settle(timeout: TimeAmount) async throws {
        let session = session
        let outcome = try await loop.flatSubmit {
            session.value.wait(timeout) { session -> Result<Void, OperatorError>? in
                if let error = session.closedBecause { return .failure(error) }
                return session.isSettled ? .success(()) : nil
            }
        }.get()
        switch outcome {
        case .success: return
        case .failure(let error): throw error
        case nil:
            // A server that refuses a login closes; one that has nothing to show to this user stays silent.
            let isKnown = try await loop.submit { session.value.hasData || session.value.isAuthenticated }.get()
            guard isKnown else {
                throw OperatorError(
                    .noConnection, "\(address) accepted the connection but said nothing; is it an IOCOM server?")
            }
        }
    }

    /// The devices that are there now, sorted by path.
    public func devices() async throws -> [DeviceSummary] {
        let session = session
        return try await loop.submit {
            session.value.devices.values.map(\.summary).sorted { $0.path < $1.path }
        }.get()
    }

    /// One device; waits up to `seconds` for it to appear. One that is just telling of itself, as after a restart, gets the
    /// time that it takes on a slow line.
    public func device(_ path: DevicePath, seconds: Int64 = 0) async throws -> DeviceSummary {
        if let found = try await complete(path, seconds: max(0, seconds)) { return found }
        let session = session
        let isComing = try await loop.submit { session.value.devices[path] != nil }.get()
        guard isComing else { throw await notFound(path) }
        if let found = try await complete(path, seconds: Self.arrivalSeconds) { return found }
        throw OperatorError(
            .deviceNotFound,
            "device \(path) has come, but has not told what it has within \(Self.arrivalSeconds) s; try again, and look at its "
                + "connection if that does not help")
    }

    /// How long a device may take to tell of its signals.
    private static let arrivalSeconds: Int64 = 10

    private func complete(_ path: DevicePath, seconds: Int64) async throws -> DeviceSummary? {
        let session = session
        return try await loop.flatSubmit {
            session.value.wait(.seconds(seconds)) { session -> DeviceSummary? in
                session.devices[path].flatMap { $0.isComplete ? $0.summary : nil }
            }
        }.get()
    }

    private func notFound(_ path: DevicePath) async -> OperatorError {
        let known = (try? await devices().map(\.path)) ?? []
        let list = known.isEmpty ? "no device is there" : "devices there: " + known.prefix(12).joined(separator: ", ")
        return OperatorError(
            .deviceNotFound,
            "device \(path) is not there (\(list)); it is not on the network, or the server's accounts do not accept it"
        )
    }

    /// Waits for the next state of a device that `check` accepts; nil after `seconds`. `check` sees nil while it is away.
    public func waitForDevice<Value: Sendable>(
        _ path: DevicePath, seconds: Double, _ check: @escaping @Sendable (DeviceSummary?) -> Value?
    ) async throws -> Value? {
        let session = session
        return try await loop.flatSubmit {
            session.value.wait(.milliseconds(Int64(seconds * 1000))) { session -> Value? in
                let device = session.devices[path]
                if let device, !device.isComplete { return nil }
                return check(device?.summary)
            }
        }.get()
    }

    /// Waits for a state of the devices with these names that `check` accepts; nil after `seconds`.
    func waitForDevices<Value: Sendable>(
        named names: Set<DeviceName>, seconds: Double, _ check: @escaping @Sendable ([DeviceSummary]) -> Value?
    ) async throws -> Value? {
        let session = session
        return try await loop.flatSubmit {
            session.value.wait(.milliseconds(Int64(seconds * 1000))) { session -> Value? in
                check(
                    session.devices.values.filter { names.contains($0.path.name) && $0.isComplete }.map(\.summary))
            }
        }.get()
    }

    // MARK: Blocks

    /// Writes all bytes of `source` into a persistent block. `progress` gets the bytes the device has confirmed; it is
    /// called on the event loop and must be quick. Cancelling the task cancels the transfer on both sides.
    public func write(
        _ source: any ByteSource & Sendable, to block: Int, of path: DevicePath,
        progress: @escaping @Sendable (UInt64) -> Void
    ) async throws -> TransferResult {
        let total: Int
        do { total = try source.byteCount } catch { throw OperatorError(.failed, "the file cannot be read: \(error)") }
        try await check(operation(writing: block, of: path), on: path)
        return try await transfer(path, .upload) { session, device, port, promise in
            UploadJob(
                session: session, device: device, port: port, block: block, source: source, total: total,
                progress: progress, promise: promise)
        }
    }

    /// Reads a persistent block; `append` gets the bytes in order, off the event loop, one call at a time.
    public func read(
        block: Int, of path: DevicePath, append: @escaping @Sendable ([UInt8]) throws -> Void,
        progress: @escaping @Sendable (UInt64) -> Void
    ) async throws -> TransferResult {
        try await check(path.name == "accounts" ? .manageAccounts : .readBlocks, on: path)
        return try await transfer(path, .download) { session, device, port, promise in
            DownloadJob(
                session: session, device: device, port: port, block: block, append: append, progress: progress,
                promise: promise)
        }
    }

    private func transfer(
        _ path: DevicePath, _ direction: StreamDirection,
        _ makeJob:
            @escaping @Sendable (
                OperatorSession, RemoteDevice, StreamPort, EventLoopPromise<TransferResult>
            ) -> (any TransferJob)?
    ) async throws -> TransferResult {
        let port = try await streamPort(path, direction)
        let session = session
        let running = NIOLoopBoundBox<(any TransferJob)?>.makeBoxSendingValue(nil, eventLoop: loop)
        return try await withTaskCancellationHandler {
            try await loop.flatSubmit {
                let promise = session.value.node.loop.makePromise(of: TransferResult.self)
                guard let device = session.value.devices[path],
                    let job = makeJob(session.value, device, port.value, promise)
                else {
                    promise.fail(OperatorError(.notSupported, "\(path) went away, or cannot address this block number"))
                    return promise.futureResult
                }
                running.value = job
                session.value.start(job)
                return promise.futureResult
            }.get()
        } onCancel: {
            loop.execute { running.value?.cancel() }
        }
    }

    /// Takes over the configuration blocks of a device and waits until they carry data.
    private func streamPort(_ path: DevicePath, _ direction: StreamDirection) async throws -> NIOLoopBound<StreamPort> {
        _ = try await device(path)
        let session = session
        let loop = loop
        let port = try await loop.flatSubmit {
            () -> EventLoopFuture<Result<NIOLoopBound<StreamPort>, OperatorError>?> in
            guard let device = session.value.devices[path],
                session.value.take(["conf_exp", "conf_imp"], of: device)
            else {
                return loop.makeSucceededFuture(
                    .failure(OperatorError(.notSupported, "\(path) has no blocks for moving data (conf_exp, conf_imp)"))
                )
            }
            return session.value.wait(.seconds(10)) { session in
                guard let device = session.devices[path] else {
                    return .failure(OperatorError(.deviceNotFound, "\(path) went away"))
                }
                guard let info = device.info, device.received.contains("conf_exp"),
                    let controller = device.blocks["conf_imp"], let answer = device.blocks["conf_exp"]
                else { return nil }
                guard let addresses = StreamAddresses(direction, in: info) else {
                    return .failure(
                        OperatorError(
                            .notSupported, "\(path) lacks signals for this transfer (application without err or cs)"))
                }
                do throws(StreamPortError) {
                    let port = try StreamPort(controllerBlock: controller, deviceBlock: answer, addresses: addresses)
                    return .success(NIOLoopBound(port, eventLoop: loop))
                } catch {
                    return .failure(OperatorError(.notSupported, "the description of \(path) does not fit its blocks"))
                }
            }
        }.get()
        guard let port else {
            throw OperatorError(.failed, "\(path) did not send its configuration block in time; try again")
        }
        return try port.get()
    }

    // MARK: Signals and memory

    /// Takes over all blocks of a device, so that their content comes, and waits for a first snapshot of those that flow up.
    public func takeAllBlocks(of path: DevicePath) async throws {
        _ = try await device(path)
        let session = session
        let done = try await loop.flatSubmit {
            if let device = session.value.devices[path] {
                _ = session.value.take(Array(device.offers.keys), of: device)
            }
            return session.value.wait(.seconds(10)) { session -> Bool? in
                guard let device = session.devices[path] else { return false }
                return device.offers.values.allSatisfy {
                    !$0.flags.contains(.up) || device.received.contains($0.path.block)
                } ? true : nil
            }
        }.get()
        guard done != false else { throw OperatorError(.deviceNotFound, "\(path) went away") }
    }

    /// The signals of a device with their values, in the order of its description; without `data` only those that are values
    /// for people, not those of data streams and of pictures.
    public func signals(of path: DevicePath, data: Bool = true) async throws -> [SignalReading] {
        let session = session
        return try await loop.submit { () throws -> [SignalReading] in
            guard let device = session.value.devices[path] else {
                throw OperatorError(.deviceNotFound, "\(path) went away")
            }
            guard let info = device.info else {
                throw OperatorError(
                    .failed, "\(path) cannot be read: \(device.problem ?? "its description has not come yet")")
            }
            return device.readings(of: data ? info.blocks : info.signalBlocks)
        }.get()
    }

    /// Sets a signal of a device from an operator's text.
    public func set(_ name: String, to text: String, of path: DevicePath) async throws {
        _ = try await device(path)
        try await check(operation(setting: name), on: path)
        let session = session
        try await loop.submit {
            guard let device = session.value.devices[path], let info = device.info else {
                throw OperatorError(.failed, "\(path) cannot be read: its description has not come or is damaged")
            }
            let candidates = info.blocks.filter { $0.signal(name) != nil }
            guard let block = candidates.first(where: { $0.flags.contains(.down) }),
                let signal = block.signal(name)?.signal
            else {
                throw OperatorError(
                    .notSupported,
                    candidates.isEmpty
                        ? "\(path) has no signal '\(name)'; 'ispy signals \(path)' lists them"
                        : "signal '\(name)' of \(path) is written by the device itself and cannot be set")
            }
            guard let blockName = BlockName(block.name), session.value.take([blockName], of: device),
                let memory = device.blocks[blockName]
            else { throw OperatorError(.failed, "block \(block.name) of \(path) is not available") }
            do throws(SignalValueError) {
                try signal.setValue(try SignalValue(parsing: text, for: signal), in: memory)
            } catch { throw OperatorError(.failed, "signal '\(name)' of \(path) was not set: \(error)") }
            memory.publish()
            session.value.node.flushWaiting()
        }.get()
        try await drain()
    }

    /// Waits until everything written was handed to the connection.
    func drain() async throws {
        let session = session
        _ = try await loop.flatSubmit {
            session.value.wait(.seconds(5)) { session -> Bool? in
                session.devices.values.allSatisfy { $0.blocks.values.allSatisfy(\.isDrained) } ? true : nil
            }
        }.get()
    }

    /// The memory blocks of a device with flags and, where taken over, content.
    public func memory(of path: DevicePath) async throws -> [BlockReading] {
        let session = session
        return try await loop.submit { () throws -> [BlockReading] in
            guard let device = session.value.devices[path] else {
                throw OperatorError(.deviceNotFound, "\(path) went away")
            }
            return device.offers.values.sorted { $0.id < $1.id }.map { offer in
                BlockReading(
                    name: offer.path.block.description, id: offer.id, size: Int(offer.size), flags: offer.flags,
                    content: device.blocks[offer.path.block]?.withBytes { span in
                        span.withUnsafeBytes { Array($0) }
                    })
            }
        }.get()
    }
}
