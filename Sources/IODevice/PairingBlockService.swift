import IOCOM

/// The blocks of a device that is not paired yet: it takes certificates to trust and gives nothing, since it does not know to
/// whom it is connected.
public final class PairingBlockService: BlockService {
    private let keeper: TrustKeeper

    /// `keeper` gets the certificates.
    public init(_ keeper: TrustKeeper) { self.keeper = keeper }

    /// Block 9 only.
    public func openForWriting(_ block: Int) throws(BlockServiceError) -> any BlockSink {
        guard block == PersistentBlock.clientChain else {
            throw BlockServiceError(
                .noAccess, "this device is not paired with a server yet and takes no block \(block)")
        }
        return TrustSink(keeper)
    }

    /// Nothing.
    public func openForReading(_ block: Int) throws(BlockServiceError) -> any BlockReader {
        throw BlockServiceError(.readFailed, "this device is not paired with a server yet and gives no block \(block)")
    }
}
