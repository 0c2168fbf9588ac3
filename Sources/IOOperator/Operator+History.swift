public import HistoryEntries
public import IOCOM
import NIOCore
import Synchronization

extension Operator {
    /// Persistent block with the history of a network, at its accounts device (docs/protocol-extensions.md).
    private static let historyBlock = 60

    /// The network of the login.
    public var network: NetworkName {
        get async throws {
            let session = session
            return try await loop.submit { session.value.network }.get()
        }
    }

    /// What the server recorded of a network, newest first. Only administrators of the network can read it.
    ///
    /// The server sends the history from its newest entry on; as soon as enough has come, the transfer is cancelled. At most
    /// ``HistoryQuery/mostEntries`` entries are given. `query` needs no network.
    ///
    /// - Throws: ``OperatorError``.
    public func history(of network: NetworkName, _ query: HistoryQuery = HistoryQuery()) async throws -> [HistoryEntry]
    {
        let path = try await accountsDevice(of: network)
        let collector = HistoryCollector(query)
        guard query.limit > 0 else { return [] }
        let result = try await read(
            block: Self.historyBlock, of: path, append: { try collector.take($0) }, progress: { _ in })
        if result.failure != nil, !collector.hasEnough {
            if let problem = collector.problem {
                throw OperatorError(.failed, "what \(path) sent is no history: \(problem)")
            }
            guard result.status != .readFailed else {
                throw OperatorError(
                    .notSupported, "the server gives no history of network \(network): it keeps none, or can't read it")
            }
            throw result.failure ?? OperatorError(.failed, "the history of network \(network) did not come")
        }
        return collector.entries
    }

    /// The server's device for the accounts of a network, which only administrators see.
    private func accountsDevice(of network: NetworkName) async throws -> DevicePath {
        let found = try await devices().compactMap { DevicePath($0.path) }
            .first { $0.network == network && $0.name == "accounts" }
        guard let found else {
            throw OperatorError(
                .loginRefused,
                "the history of network \(network) is for its administrators: log in with an account that has the "
                    + "privilege admin there, at a server that publishes the network")
        }
        return found
    }
}

/// Collects the entries that are wanted from bytes as they come.
private final class HistoryCollector: Sendable {
    /// Ends the reading of what came too far.
    private struct Enough: Error {}

    private struct State {
        var lines = HistoryLines()
        var entries: [HistoryEntry] = []
        var hasEnough = false
        var problem: String?
    }

    private let query: HistoryQuery
    private let state = Mutex(State())

    init(_ query: HistoryQuery) { self.query = query }

    var entries: [HistoryEntry] { state.withLock { $0.entries } }
    var hasEnough: Bool { state.withLock { $0.hasEnough } }
    var problem: String? { state.withLock { $0.problem } }

    /// - Throws: when enough came, or what came is no history.
    func take(_ bytes: [UInt8]) throws {
        try state.withLock { state in
            guard !state.hasEnough else { throw Enough() }
            let entries: [HistoryEntry]
            do throws(HistoryLineError) { entries = try state.lines.take(bytes) } catch {
                state.problem = error.description
                throw error
            }
            for entry in entries {
                if query.endsBefore(entry) || state.entries.count >= query.limit {
                    state.hasEnough = true
                    break
                }
                if query.matches(entry) { state.entries.append(entry) }
            }
            if state.entries.count >= query.limit { state.hasEnough = true }
            if state.hasEnough { throw Enough() }
        }
    }
}
