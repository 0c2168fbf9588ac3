import DeviceStorage
import IOCOM
import IODevice
import ServerData
import Synchronization

/// The accounts in force and their files. Used from any thread; files are touched off the event loop only.
final class AccountsBook: Sendable {
    private struct State {
        var documents: [NetworkName: Accounts]
        /// What the files looked like when they were read: `frank accounts` changes them beside a running server.
        var stamps: [NetworkName: FileStamp] = [:]
        var generation: UInt64 = 0
        /// The latest change of each network.
        var changes: [NetworkName: String] = [:]
    }

    private let folder: ServerFolder
    private let store: any PersistentStore
    private let cost: ScryptCost
    /// Hears of accounts that were changed beside the server.
    private let report: @Sendable (ServerEvent) -> Void
    private let state: Mutex<State>
    /// Held while a file is read, changed and written, so that no change is lost.
    private let writing = Mutex<Void>(())

    /// Reads the accounts of all published networks. A network whose accounts are damaged has none; the texts say why.
    static func load(
        _ folder: ServerFolder, _ store: any PersistentStore, cost: ScryptCost,
        report: @escaping @Sendable (ServerEvent) -> Void
    ) -> (book: AccountsBook, problems: [String]) {
        var documents: [NetworkName: Accounts] = [:]
        var problems: [String] = []
        for network in folder.settings.publish {
            do throws(FolderError) { documents[network] = try folder.accounts(of: network) } catch {
                documents[network] = Accounts()
                problems.append(error.description)
            }
        }
        return (AccountsBook(folder, store, cost, documents, report), problems)
    }

    private init(
        _ folder: ServerFolder, _ store: any PersistentStore, _ cost: ScryptCost, _ documents: [NetworkName: Accounts],
        _ report: @escaping @Sendable (ServerEvent) -> Void
    ) {
        self.folder = folder
        self.store = store
        self.cost = cost
        self.report = report
        state = Mutex(State(documents: documents))
    }

    /// Counts changes of what is in force.
    var generation: UInt64 { state.withLock { $0.generation } }

    /// The accounts of a network.
    func accounts(of network: NetworkName) -> Accounts? { state.withLock { $0.documents[network] } }

    /// Decides a login; slow.
    func decide(_ attempt: LoginAttempt) -> AuthorizationDecision {
        for network in folder.settings.publish { refresh(network) }
        let documents = state.withLock { state in
            folder.settings.publish.compactMap { network in
                state.documents[network].map { NetworkAccounts(network, $0) }
            }
        }
        return Authorizer(
            ownNetwork: folder.settings.network, documents: documents, wantedCost: cost
        ).decide(attempt)
    }

    /// Checks a packed document, stores it with slow hashes of new passwords and puts it in force; slow.
    func replace(_ network: NetworkName, packed bytes: [UInt8]) throws(BlockServiceError) {
        guard let block = folder.accountsBlock(of: network) else {
            throw BlockServiceError(.noAccess, "network \(network) is not published here")
        }
        var accounts: Accounts
        var bytes = bytes
        do {
            accounts = try Accounts(packed: bytes)
            let came = accounts
            try accounts.protectNew(since: self.accounts(of: network), cost: cost)
            if accounts != came { bytes = try accounts.packed() }
        } catch {
            throw BlockServiceError(.writeFailed, "these are no accounts: \(error); the old ones stay in force")
        }
        let (new, stored) = (accounts, bytes)
        let failure: PersistentStoreError? = writing.withLock { _ in
            do throws(PersistentStoreError) { try store.write(block, stored) } catch { return error }
            putInForce(new, network)
            return nil
        }
        if let failure { throw BlockServiceError(.writeFailed, "the accounts could not be stored: \(failure)") }
    }

    /// Gives accounts whose password was just shown a better hash of it; slow.
    func upgrade(_ upgrades: [AccountUpgrade], password: [UInt8]) throws {
        for upgrade in upgrades {
            let better = try PasswordHash.protect(password: password, cost: cost)
            try writing.withLock { _ in
                guard var accounts = accounts(of: upgrade.network),
                    accounts.replacePassword(user: upgrade.user, old: upgrade.stored, with: better) > 0
                else { return }
                try folder.save(accounts, of: upgrade.network)
                state.withLock { $0.documents[upgrade.network] = accounts }
            }
        }
    }

    /// Reads a network's accounts again when their file was replaced. Damaged ones leave those in force that are.
    private func refresh(_ network: NetworkName) {
        writing.withLock { _ in
            guard let block = folder.accountsBlock(of: network),
                let stamp = FileStamp("\(folder.path)/persistent-\(block).dat"),
                state.withLock({ $0.stamps[network] }) != stamp, let accounts = try? folder.accounts(of: network)
            else { return }
            state.withLock { $0.stamps[network] = stamp }
            guard accounts != self.accounts(of: network) else { return }
            putInForce(accounts, network)
            report(
                .accountsReplaced(accounts, of: network, change: lastChange(of: network), by: nil))
        }
    }

    /// What the latest change of a network's accounts was, with names only.
    func lastChange(of network: NetworkName) -> String { state.withLock { $0.changes[network] ?? "" } }

    private func putInForce(_ accounts: Accounts, _ network: NetworkName) {
        state.withLock { state in
            state.changes[network] = AccountsDifference.text(state.documents[network] ?? Accounts(), accounts)
            state.documents[network] = accounts
            state.generation &+= 1
        }
    }
}
