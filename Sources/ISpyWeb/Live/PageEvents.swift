import Bricks
import ByteTools
import IOCOM
import IOOperator
import PackedJSON

/// Everything that is pushed to one page.
struct PageEvents: Sendable {
    /// The shortest time between two events of one kind, ms.
    private static let interval = Duration.milliseconds(100)
    private static let pingTime = Duration.seconds(15)

    let service: WebService
    let feed: Feed

    /// Runs until the task is cancelled; `watches` says what the page looks at.
    func run(_ watches: AsyncStream<PageWatch>) async {
        let hello: JSON = ["version": .string(service.settings.version)]
        guard await send("hello", "hello", hello) else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await followConnections() }
            group.addTask { await followJobs() }
            group.addTask { await followPackages() }
            group.addTask { await follow(watches) }
            group.addTask {
                // So that a browser that is gone is noticed.
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.pingTime)
                    guard await feed.put("ping", ": \n\n") else { return }
                }
            }
            await group.waitForAll()
        }
    }

    private func send(_ source: String, _ event: String, _ json: JSON) async -> Bool {
        await feed.put(source, "event: \(event)\ndata: \(json.compactText)\n\n")
    }

    // MARK: Lists

    private func followConnections() async {
        var revision: UInt64?
        var watched: [String: Task<Void, Never>] = [:]
        defer { for task in watched.values { task.cancel() } }
        while let changes = await service.connections.board.changes(after: revision) {
            revision = changes.revision
            let all = service.connections.board.values
            guard await send("connections", "connections", .array(all.map(\.json))) else { break }
            for connection in all where watched[connection.id] == nil {
                watched[connection.id] = Task { await followDevices(connection) }
            }
            for id in watched.keys where !all.contains(where: { $0.id == id }) {
                watched.removeValue(forKey: id)?.cancel()
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func followDevices(_ connection: WebConnection) async {
        for await change in connection.access.deviceChanges() {
            let json: JSON = [
                "connection": .string(connection.id), "all": .bool(change.isComplete),
                "set": .array(change.set.map { $0.json(available: service.shelf.available(for: $0)) }),
                "removed": .array(change.removed.map { .string($0) }),
            ]
            guard await send("devices \(connection.id)", "devices", json) else { return }
        }
    }

    private func followJobs() async {
        var revision: UInt64?
        while let changes = await service.jobs.board.changes(after: revision) {
            revision = changes.revision
            let json: JSON = [
                "all": .bool(changes.isComplete), "set": .array(changes.set.map(\.json)),
                "removed": .array(changes.removed.map { .string($0) }),
            ]
            guard await send("jobs", "jobs", json) else { return }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func followPackages() async {
        var revision: UInt64?
        while let changes = await service.shelf.board.changes(after: revision) {
            let isFirst = revision == nil
            revision = changes.revision
            if isFirst { continue }
            guard await send("packages", "packages", [:]) else { return }
            // What is available for a device may be another now.
            for connection in service.connections.board.values {
                guard let devices = try? await connection.access.devices() else { continue }
                let json: JSON = [
                    "connection": .string(connection.id), "all": false,
                    "set": .array(devices.map { $0.json(available: service.shelf.available(for: $0)) }),
                    "removed": [],
                ]
                guard await send("available \(connection.id)", "devices", json) else { return }
            }
        }
    }

    // MARK: What the page looks at

    private func follow(_ watches: AsyncStream<PageWatch>) async {
        var now: Task<Void, Never>?
        for await watch in watches {
            now?.cancel()
            await now?.value
            now = Task { await serve(watch) }
        }
        now?.cancel()
    }

    private func serve(_ watch: PageWatch) async {
        guard let device = watch.device, let access = try? service.connections.access(watch.connection) else { return }
        let place: [JSON.Member] = [
            .init("connection", .string(watch.connection)), .init("device", .string(device.description)),
        ]
        await withTaskGroup(of: Void.self) { group in
            if watch.signals {
                group.addTask {
                    for await change in access.signalChanges(of: device) {
                        let members: [JSON.Member] =
                            switch change {
                            case .all(let readings):
                                [.init("all", true), .init("set", .array(readings.map(\.json)))]
                            case .some(let changed):
                                [
                                    .init("all", false),
                                    .init(
                                        "changes",
                                        .array(
                                            changed.map {
                                                [
                                                    .integer(Int64($0.index)), $0.reading.valueJSON,
                                                    .integer($0.reading.flags),
                                                ]
                                            })),
                                ]
                            }
                        guard await send("signals", "signals", .object(place + members)) else { return }
                    }
                }
            }
            if let (block, range) = watch.memory {
                group.addTask {
                    let path = BlockPath(block: block, device: device)
                    for await part in access.memoryChanges(of: path, range) {
                        let json = JSON.object(place + MemoryText.members(part))
                        guard await send("memory", "memory", json) else { return }
                    }
                }
            }
            for assembly in watch.pictures {
                let key = Cameras.Key(connection: watch.connection, device: device, assembly: assembly)
                group.addTask { await follow(key, access, place) }
            }
            await group.waitForAll()
        }
    }

    private func follow(_ key: Cameras.Key, _ access: Operator, _ place: [JSON.Member]) async {
        service.cameras.look(key, access)
        defer { service.cameras.leave(key) }
        var revision: UInt64?
        var sequence = 0
        while let changes = await service.cameras.board.changes(after: revision) {
            revision = changes.revision
            guard let shot = service.cameras.board[key.id], shot.sequence != sequence else { continue }
            sequence = shot.sequence
            let json = JSON.object(
                place + [
                    .init("assembly", .string(key.assembly)), .init("sequence", .integer(Int64(sequence))),
                    .init("width", .integer(Int64(shot.picture.width))),
                    .init("height", .integer(Int64(shot.picture.height))),
                ])
            guard await send("picture \(key.assembly)", "picture", json) else { return }
        }
    }
}

/// Memory as text.
enum MemoryText {
    static func members(_ part: MemoryPart) -> [JSON.Member] {
        [
            .init("name", .string(part.block.description)), .init("offset", .integer(Int64(part.offset))),
            .init("data", .string(hexadecimal(part.bytes))),
        ]
    }
}
