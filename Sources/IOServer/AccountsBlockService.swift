import DeviceStorage
import IOCOM
import IODevice
import ServerData
import ServerHistory

/// Persistent blocks of a pseudo-device `accounts<k>`: its accounts and, as block 3, the defaults (application-layer.md
/// 7.3), and the history of its network. Other numbers are refused: what the server stores beyond that is reached through the server's own device.
final class AccountsBlockService: BlockService {
    private let book: AccountsBook
    private let network: NetworkName
    private let block: Int
    private let store: any PersistentStore
    private let defaults: [UInt8]
    private let history: History

    init(
        _ book: AccountsBook, _ network: NetworkName, block: Int, store: any PersistentStore, defaults: [UInt8],
        history: History
    ) {
        self.book = book
        self.network = network
        self.block = block
        self.store = store
        self.defaults = defaults
        self.history = history
    }

    func openForWriting(_ block: Int) throws(BlockServiceError) -> any BlockSink {
        guard block != PersistentBlock.history else {
            throw BlockServiceError(.noAccess, "the history of network \(network) is written by the server only")
        }
        guard block == self.block else {
            throw BlockServiceError(.noAccess, "accounts of network \(network) are block \(self.block), not \(block)")
        }
        return AccountsSink(book, network)
    }

    func openForReading(_ block: Int) throws(BlockServiceError) -> any BlockReader {
        if block == PersistentBlock.defaults { return BytesReader(defaults) }
        if block == PersistentBlock.history { return HistoryReader(history, of: network) }
        guard block == self.block else {
            throw BlockServiceError(.readFailed, "accounts of network \(network) are block \(self.block), not \(block)")
        }
        do throws(PersistentStoreError) {
            guard let bytes = try store.read(block) else {
                throw PersistentStoreError.device("the accounts of network \(network) are missing")
            }
            return BytesReader(bytes)
        } catch { throw BlockServiceError(.readFailed, error.description) }
    }
}

/// Collects a document; nothing changes before it is complete and right.
private final class AccountsSink: BlockSink {
    private let book: AccountsBook
    private let network: NetworkName
    private let bytes = UploadBytes()

    init(_ book: AccountsBook, _ network: NetworkName) {
        self.book = book
        self.network = network
    }

    func append(_ piece: [UInt8]) throws(BlockServiceError) {
        guard bytes.add(piece, limit: ServerFolder.mostAccountsBytes) else {
            throw BlockServiceError(
                .discFull, "accounts of more than \(ServerFolder.mostAccountsBytes) bytes are refused")
        }
    }

    func finish() throws(BlockServiceError) -> UploadEffect {
        try book.replace(network, packed: bytes.bytes)
        return .stored
    }

    func cancel() { bytes.clear() }
}
