public import DeviceStorage
import IOCOM
public import Installers
import Synchronization

/// Persistent blocks of a device by the rules of application-layer.md 3.3 and 4.1.
public final class DeviceBlockService: BlockService {
    private let store: any PersistentStore
    private let defaults: [UInt8]
    private let installer: (any ProgramInstaller)?
    private let configuration: ConfigurationKeeper?
    /// The sink whose installation runs: one that was given up before must not cancel it.
    private let installing = Installing()

    /// `defaults` is what reading block 3 gives; without an installer block 1 is refused as not supported. With
    /// `configuration` the blocks 2 and 11 are replaced through it.
    public init(
        store: any PersistentStore, defaults: [UInt8], installer: (any ProgramInstaller)?,
        configuration: ConfigurationKeeper? = nil
    ) {
        self.configuration = configuration
        self.store = store
        self.defaults = defaults
        self.installer = installer
    }

    /// Block 1 installs; blocks 4, 5 and 7 and numbers that do not exist are refused.
    public func openForWriting(_ block: Int) throws(BlockServiceError) -> any BlockSink {
        if block == PersistentBlock.program {
            guard let installer else {
                throw BlockServiceError(.notSupported, "this device cannot install programs over the network")
            }
            do throws(InstallError) { try installer.start() } catch { throw BlockServiceError(error) }
            return InstallerSink(installer, installing)
        }
        guard !PersistentBlock.isSecret(block), block != PersistentBlock.defaults, block > 0,
            block <= PersistentBlock.lastPublic
        else { throw BlockServiceError(.noAccess, "persistent block \(block) cannot be written from outside") }
        if block == PersistentBlock.clientChain { return TrustSink(TrustKeeper(store)) }
        do throws(PersistentStoreError) {
            let keeper = Self.isConfiguration(block) ? configuration : nil
            return StoreSink(try store.writer(block), block: block, keeper)
        } catch { throw BlockServiceError(writing: error) }
    }

    /// Largest value of a block that configures the device: the last good one is kept beside it.
    fileprivate static let largestConfiguration = 8192

    fileprivate static func isConfiguration(_ block: Int) -> Bool {
        block == PersistentBlock.configuration || block == PersistentBlock.nodeSettings
    }

    /// Block 3 gives the defaults; block 1 and secrets are refused, and blocks without a value.
    public func openForReading(_ block: Int) throws(BlockServiceError) -> any BlockReader {
        if block == PersistentBlock.defaults { return BytesReader(defaults) }
        guard !PersistentBlock.isSecret(block), block != PersistentBlock.program, block > 0,
            block <= PersistentBlock.lastPublic
        else { throw BlockServiceError(.readFailed, "persistent block \(block) cannot be read from outside") }
        do throws(PersistentStoreError) {
            guard let reader = try store.reader(block) else {
                throw PersistentStoreError.device("persistent block \(block) holds nothing")
            }
            return StoreReader(reader)
        } catch { throw BlockServiceError(.readFailed, error.description) }
    }
}

extension BlockServiceError {
    init(_ error: InstallError) { self.init(error.status, error.description) }

    init(writing error: PersistentStoreError) {
        switch error {
        case .full, .tooLarge: self.init(.discFull, error.description)
        case .invalidBlock, .busy: self.init(.noAccess, error.description)
        default: self.init(.writeFailed, error.description)
        }
    }
}

/// Which installation runs.
private final class Installing: Sendable {
    let current = Mutex<ObjectIdentifier?>(nil)
}

private final class InstallerSink: BlockSink {
    private let installer: any ProgramInstaller
    private let installing: Installing

    init(_ installer: any ProgramInstaller, _ installing: Installing) {
        self.installer = installer
        self.installing = installing
        installing.current.withLock { $0 = ObjectIdentifier(self) }
    }

    func append(_ bytes: [UInt8]) throws(BlockServiceError) {
        do throws(InstallError) { try installer.append(bytes) } catch { throw BlockServiceError(error) }
    }

    func finish() throws(BlockServiceError) -> UploadEffect {
        do throws(InstallError) {
            let program = try installer.finish()
            return program.needsRestart ? .restart("program \(program.version) was installed") : .stored
        } catch { throw BlockServiceError(error) }
    }

    func cancel() {
        if installing.current.withLock({ $0 == ObjectIdentifier(self) }) { installer.cancel() }
    }
}

private final class StoreSink: BlockSink {
    private let writer: any PersistentWriter
    private let block: Int
    private let configuration: ConfigurationKeeper?
    private let size = Mutex(0)

    init(_ writer: any PersistentWriter, block: Int, _ configuration: ConfigurationKeeper?) {
        self.writer = writer
        self.block = block
        self.configuration = configuration
    }

    func append(_ bytes: [UInt8]) throws(BlockServiceError) {
        let size = size.withLock { size in
            size += bytes.count
            return size
        }
        do throws(PersistentStoreError) {
            let limit = DeviceBlockService.largestConfiguration
            guard configuration == nil || size <= limit else {
                writer.abort()
                throw .tooLarge(limit: limit)
            }
            try writer.append(bytes)
        } catch { throw BlockServiceError(writing: error) }
    }

    func finish() throws(BlockServiceError) -> UploadEffect {
        do throws(PersistentStoreError) {
            if let configuration {
                try configuration.change { () throws(PersistentStoreError) in try writer.commit() }
            } else {
                try writer.commit()
            }
        } catch { throw BlockServiceError(writing: error) }
        return .stored
    }

    func cancel() { writer.abort() }
}

private final class StoreReader: BlockReader {
    private let reader: any PersistentReader

    init(_ reader: any PersistentReader) { self.reader = reader }

    func read(upTo count: Int) throws(BlockServiceError) -> [UInt8] {
        do throws(PersistentStoreError) { return try reader.read(upTo: count) } catch {
            throw BlockServiceError(.readFailed, error.description)
        }
    }
}
