import DeviceStorage
import IOCOM
import IODevice
import Installers
import ServerData

/// Persistent blocks of the server's own device. Accounts go through the `accounts` devices, where they are checked; the
/// table of automatic numbers is the server's alone.
final class ServerBlockService: BlockService {
    private let blocks: DeviceBlockService

    /// Without an installer programs are refused.
    init(store: any PersistentStore, defaults: [UInt8], installer: (any ProgramInstaller)?) {
        blocks = DeviceBlockService(store: store, defaults: defaults, installer: installer)
    }

    private static func isAccounts(_ block: Int) -> Bool {
        (PersistentBlock.accounts..<PersistentBlock.accounts + ServerSettings.mostNetworks).contains(block)
    }

    func openForWriting(_ block: Int) throws(BlockServiceError) -> any BlockSink {
        guard block != PersistentBlock.configuration else {
            throw BlockServiceError(.noAccess, "a server is configured by the file server.json in its data folder")
        }
        guard !Self.isAccounts(block), block != PersistentBlock.automaticNumbers else {
            throw BlockServiceError(.noAccess, "block \(block) cannot be written through this device")
        }
        return try blocks.openForWriting(block)
    }

    func openForReading(_ block: Int) throws(BlockServiceError) -> any BlockReader {
        guard !Self.isAccounts(block) else {
            throw BlockServiceError(.readFailed, "accounts are read through the device accounts of their network")
        }
        return try blocks.openForReading(block)
    }
}
