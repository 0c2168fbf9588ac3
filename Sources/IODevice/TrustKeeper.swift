public import DeviceStorage
import IOCOM
import IOCOMTransport

/// The certificates of the authorities that a device trusts (block 9). New ones have to prove themselves: as long as the device
/// has not reached its server with them it can go back to those before, or to none. Blocking.
///
/// Cut-proof: what was before is stored first, then the new ones; only a proof removes what was before.
public struct TrustKeeper: Sendable {
    /// Longest chain that is taken, bytes.
    public static let mostBytes = 32 << 10

    private let store: any PersistentStore

    /// Keeps the certificates in `store`.
    public init(_ store: any PersistentStore) { self.store = store }

    /// What is stored.
    public struct State: Sendable, Equatable {
        /// PEM text; nil when the device has no certificates.
        public var chain: [UInt8]?
        /// They have not proved themselves yet.
        public var isOnTrial: Bool
    }

    /// What is stored now. Certificates that are damaged count as none: the device can be paired again.
    public func state() throws(PersistentStoreError) -> State {
        let chain = try read(PersistentBlock.clientChain).flatMap { Self.problem($0) == nil ? $0 : nil }
        return State(chain: chain, isOnTrial: try read(PersistentBlock.trustBefore) != nil)
    }

    private func read(_ block: Int) throws(PersistentStoreError) -> [UInt8]? {
        do { return try store.read(block) } catch {
            guard case .damaged = error else { throw error }
            return nil
        }
    }

    /// Why bytes are no certificates to trust; nil when they are.
    public static func problem(_ bytes: [UInt8]) -> String? {
        do throws(LinkError) { _ = try CertificateTrust(pem: String(decoding: bytes, as: UTF8.self)) } catch {
            return error.description
        }
        return nil
    }

    /// Puts new certificates in the place of the old ones; they are on trial from the next start on.
    public func replace(_ chain: [UInt8]) throws(PersistentStoreError) {
        if try read(PersistentBlock.trustBefore) == nil {
            // The first byte tells a device that had none from damage.
            try store.write(
                PersistentBlock.trustBefore, [1] + (try read(PersistentBlock.clientChain) ?? []))
        }
        try store.write(PersistentBlock.clientChain, chain)
    }

    /// The device reached its server with them.
    public func proved() throws(PersistentStoreError) { try store.remove(PersistentBlock.trustBefore) }

    /// Goes back to what was before.
    public func putBack() throws(PersistentStoreError) {
        guard let before = try read(PersistentBlock.trustBefore) else { return }
        if before.count > 1 {
            try store.write(PersistentBlock.clientChain, Array(before.dropFirst()))
        } else {
            try store.remove(PersistentBlock.clientChain)
        }
        try store.remove(PersistentBlock.trustBefore)
    }
}

/// Takes certificates to trust; nothing changes before they are complete and can be read.
final class TrustSink: BlockSink {
    private let keeper: TrustKeeper
    private let collected = UploadBytes()

    init(_ keeper: TrustKeeper) { self.keeper = keeper }

    func append(_ bytes: [UInt8]) throws(BlockServiceError) {
        guard collected.add(bytes, limit: TrustKeeper.mostBytes) else {
            throw BlockServiceError(
                .discFull, "certificates of more than \(TrustKeeper.mostBytes) bytes are refused")
        }
    }

    func finish() throws(BlockServiceError) -> UploadEffect {
        let bytes = collected.bytes
        if let problem = TrustKeeper.problem(bytes) {
            throw BlockServiceError(.writeFailed, "these are no certificates to trust: \(problem)")
        }
        do throws(PersistentStoreError) { try keeper.replace(bytes) } catch { throw BlockServiceError(writing: error) }
        return .restart("new trusted certificates")
    }

    func cancel() { collected.clear() }
}
