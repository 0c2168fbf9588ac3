import ByteTools
import IOCOM
import IOCOMTransport
import IOOperator
import Programs
import Synchronization

/// All jobs of this ispy. They run here: a page that goes away changes nothing.
final class Jobs: Sendable {
    /// Jobs that are known, running and ended.
    private static let most = 2_000
    /// Phases that a device goes through whatever an operator does.
    private static let onItsOwn: Set = ["verifying", "installing", "restarting", "proving"]

    /// All jobs, for pages.
    let board = Board<Job>()
    private let connections: WebConnections
    private let shelf: PackageShelf
    private let next = Mutex(0)
    private let tasks = Mutex<[String: Task<Void, Never>]>([:])

    init(connections: WebConnections, shelf: PackageShelf, earlier: [Job]) {
        self.connections = connections
        self.shelf = shelf
        for job in earlier { board.set(job.id, job) }
        next.withLock { $0 = earlier.compactMap { Int($0.id) }.max() ?? 0 }
    }

    /// A device that a job is for.
    struct Target: Sendable {
        var connection: String
        var device: DevicePath
    }

    // MARK: Starting

    /// Writes one package, or for each device the newest that fits, into several devices.
    func write(
        _ package: String?, to targets: [Target], atOnce: Int, stopOnFailure: Bool, force: Bool, isBatch: Bool
    ) throws -> [Job] {
        let batch = isBatch ? "batch-\(number())" : nil
        let jobs = try targets.map { target in
            var job = make(.write, target, try connections.access(target.connection), batch)
            job.package = package
            return job
        }
        try add(jobs)
        let work = zip(jobs, targets).map { job, target in
            { @Sendable [self] in await writeProgram(job.id, package, target, force: force) }
        }
        run(jobs.map(\.id), work, atOnce: atOnce, stopOnFailure: stopOnFailure)
        return jobs
    }

    /// Makes a device go back to its previous program.
    func rollBack(_ target: Target) throws -> Job {
        let access = try connections.access(target.connection)
        let job = make(.rollback, target, access, nil)
        try add([job])
        run([job.id], [{ [self] in await rollBack(job.id, access, target.device) }], atOnce: 1, stopOnFailure: false)
        return job
    }

    /// Writes a file into a persistent block; `file` is removed afterwards.
    func write(_ file: TemporaryUpload, toBlock block: Int, of target: Target) throws -> Job {
        let access = try connections.access(target.connection)
        var job = make(.blockWrite, target, access, nil)
        job.block = block
        job.total = UInt64(file.size)
        try add([job])
        let id = job.id
        run(
            [id], [{ [self] in await writeBlock(id, access, file, block, target.device) }], atOnce: 1,
            stopOnFailure: false)
        return job
    }

    // MARK: Ending

    /// Cancels a job; one that can't be cancelled any more goes on.
    func cancel(_ id: String) throws {
        guard let job = board[id] else { throw WebError(.notFound, "there is no job \(id)") }
        switch job.state {
        case .waiting: board.update(id) { $0.end(.cancelled, "cancelled before it began") }
        case .running:
            guard !Self.onItsOwn.contains(job.phase) else {
                throw WebError(
                    .refused,
                    "\(job.device) has the whole package and goes on by itself (\(job.phase)); wait for the end")
            }
            board.update(id) { if $0.state == .running { $0.state = .cancelling } }
            tasks.withLock { $0[id] }?.cancel()
        case .cancelling, .ended: break
        }
    }

    /// Forgets an ended job.
    func forget(_ id: String) throws {
        guard let job = board[id] else { throw WebError(.notFound, "there is no job \(id)") }
        guard job.state == .ended else { throw WebError(.busy, "job \(id) is running; cancel it first") }
        board.remove(id)
    }

    // MARK: Running

    private func number() -> Int {
        next.withLock { number in
            number += 1
            return number
        }
    }

    private func make(_ kind: Job.Kind, _ target: Target, _ access: Operator, _ batch: String?) -> Job {
        Job(
            "\(number())", kind, connection: target.connection, server: access.address.description,
            device: target.device.description, batch: batch)
    }

    private func add(_ jobs: [Job]) throws {
        let known = board.values
        let tooMany = known.count + jobs.count - Self.most
        if tooMany > 0 {
            for job in known.filter({ $0.state == .ended }).prefix(tooMany) { board.remove(job.id) }
        }
        guard board.values.count + jobs.count <= Self.most else {
            throw WebError(.busy, "\(Self.most) jobs are under way; wait until some have ended")
        }
        for job in jobs { board.set(job.id, job) }
    }

    /// Runs some at once; when one fails, those that have not begun end too if that is wanted.
    private func run(
        _ ids: [String], _ work: [@Sendable () async -> Void], atOnce: Int, stopOnFailure: Bool
    ) {
        Task { [self] in
            await withTaskGroup(of: Void.self) { group in
                var running = 0
                for (id, body) in zip(ids, work) {
                    if running >= atOnce {
                        await group.next()
                        running -= 1
                    }
                    if stopOnFailure, let failed = ids.compactMap({ board[$0] }).first(where: \.hasFailed) {
                        board.update(id) { $0.end(.cancelled, "not begun, because \(failed.device) failed") }
                    }
                    board.update(id) { if $0.state == .waiting { $0.state = .running } }
                    guard board[id]?.state == .running else { continue }
                    running += 1
                    group.addTask { await self.runOne(id, body) }
                }
            }
        }
    }

    private func runOne(_ id: String, _ body: @escaping @Sendable () async -> Void) async {
        let task = Task { await body() }
        tasks.withLock { $0[id] = task }
        // Cancelled in the moment before it could be reached.
        if board[id]?.state == .cancelling { task.cancel() }
        await task.value
        tasks.withLock { $0[id] = nil }
        board.update(id) { $0.end(.unknown, "it ended without a result") }
    }

    private func fail(_ id: String, _ error: any Error) {
        let text = (error as? OperatorError)?.description ?? (error as? WebError)?.text ?? "\(error)"
        let isCancelled = board[id]?.state == .cancelling
        let kind = (error as? OperatorError)?.kind
        board.update(id) { $0.end(isCancelled ? .cancelled : kind == .refused ? .refused : .failed, text) }
    }

    private func writeProgram(_ id: String, _ package: String?, _ target: Target, force: Bool) async {
        do {
            let access = try connections.access(target.connection)
            let summary = try await access.device(target.device)
            let choice = try await shelf.choose(package, for: summary)
            try choice.check(summary, force: force)
            board.update(id) {
                $0.package = PackageShelf.fileName(choice.path)
                $0.total = UInt64(choice.inspection.size)
                $0.previous = summary.version
            }
            var update = ProgramUpdate(access, device: target.device, version: choice.inspection.versionText)
            update.manifest = try choice.manifest(for: summary)
            update.said = { [board] line in board.update(id) { $0.say(line) } }
            let outcome = try await update.run(try File(choice.path, .read)) { [board] phase, bytes in
                board.update(id) { $0.progress(phase.rawValue, bytes) }
            }
            end(id, outcome)
        } catch { fail(id, error) }
    }

    private func rollBack(_ id: String, _ access: Operator, _ device: DevicePath) async {
        do {
            var update = ProgramUpdate(access, device: device, version: "")
            update.said = { [board] line in board.update(id) { $0.say(line) } }
            let outcome = try await update.rollBack { [board] phase in
                board.update(id) { $0.progress(phase.rawValue, 0) }
            }
            end(id, outcome)
        } catch { fail(id, error) }
    }

    private func end(_ id: String, _ outcome: ProgramUpdate.Outcome) {
        let isCancelled = board[id]?.state == .cancelling && outcome.result != .confirmed
        board.update(id) { job in
            job.version = outcome.version
            job.previous = outcome.previous ?? job.previous
            job.bytes = max(job.bytes, outcome.bytes)
            job.seconds = outcome.seconds
            let result: Job.Result =
                switch outcome.result {
                case .confirmed: .confirmed
                // What an operator wanted is no failure.
                case .rolledBack: job.kind == .rollback ? .done : .rolledBack
                case .refused: .refused
                case .failed: .failed
                case .unknown: .unknown
                }
            job.end(isCancelled ? .cancelled : result, outcome.reason)
        }
    }

    private func writeBlock(
        _ id: String, _ access: Operator, _ file: TemporaryUpload, _ block: Int, _ device: DevicePath
    ) async {
        defer { file.remove() }
        do {
            let result = try await access.write(try File(file.path, .read), to: block, of: device) { [board] bytes in
                board.update(id) { $0.progress("receiving", bytes) }
            }
            if let failure = result.failure { throw failure }
            board.update(id) {
                $0.seconds = result.seconds
                $0.end(.done, nil)
            }
        } catch { fail(id, error) }
    }
}

extension Job {
    var hasFailed: Bool {
        switch result {
        case .rolledBack, .refused, .failed, .unknown: true
        case .confirmed, .done, .cancelled, nil: false
        }
    }
}
