import HistoryEntries
import IOCOM
import IODevice
import ServerHistory
import Synchronization

/// Gives the history of a network as lines of JSON, newest first: page by page, so that its length costs no memory and new
/// entries can be written meanwhile.
final class HistoryReader: BlockReader {
    /// Entries that are read at once.
    private static let page = 256

    private struct State {
        var waiting: ArraySlice<UInt8> = []
        var after: HistoryPlace?
        var hasEnded = false
    }

    private let history: History
    private let network: NetworkName
    private let state = Mutex(State())

    init(_ history: History, of network: NetworkName) {
        self.history = history
        self.network = network
    }

    func read(upTo count: Int) throws(BlockServiceError) -> [UInt8] {
        guard count > 0 else { return [] }
        do throws(HistoryError) {
            return try state.withLock { state throws(HistoryError) in
                if state.waiting.isEmpty, !state.hasEnded { try fill(&state) }
                let piece = Array(state.waiting.prefix(count))
                state.waiting = state.waiting.dropFirst(count)
                return piece
            }
        } catch {
            throw BlockServiceError(.readFailed, "the history of network \(network) can't be read: \(error)")
        }
    }

    private func fill(_ state: inout State) throws(HistoryError) {
        let query = HistoryQuery(network: network.description, after: state.after, limit: Self.page)
        let entries = try state.after == nil ? history.entriesUntilNow(query) : history.entries(query)
        state.after = entries.last.map(HistoryPlace.init)
        state.hasEnded = entries.isEmpty
        var bytes: [UInt8] = []
        for entry in entries { bytes += entry.line }
        state.waiting = bytes[...]
    }
}
