import Crypto
import DeviceStorage
import IODevice
import ServerData

/// The server's own secret, persistent block 4: 32 random bytes, made at the first start.
struct ServerSecret: Sendable {
    private static let size = 32
    private let key: SymmetricKey

    /// Reads the secret, or makes one.
    init(_ store: any PersistentStore) throws(PersistentStoreError) {
        if let bytes = try store.read(PersistentBlock.secret), bytes.count == Self.size {
            key = SymmetricKey(data: bytes)
            return
        }
        // The system's generator is the kernel's.
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<Self.size).map { _ in UInt8.random(in: 0...255, using: &generator) }
        try store.write(PersistentBlock.secret, bytes)
        key = SymmetricKey(data: bytes)
    }

    /// What stands for a device in the table of automatic numbers: its unique id and its password, which nobody can find in it
    /// who has the table alone.
    func identity(of uniqueID: [UInt8], password: [UInt8]) -> [UInt8] {
        var message = HMAC<SHA256>(key: key)
        message.update(data: uniqueID)
        message.update(data: password)
        return Array(message.finalize().prefix(AutomaticNumbers.uniqueIDBytes))
    }
}
