import DeviceStorage
import IOCOM
import IODevice

/// Persistent block 4: 32 random bytes and the twelve that make an automatic number stick (application-layer.md 3.1).
struct DeviceSecret: Sendable {
    private static let secretSize = 32
    private static let idSize = 12
    private let bytes: [UInt8]

    /// Reads the secret of a device, or makes one. `isNew` tells that there was none, or none of use.
    static func load(from store: any PersistentStore) throws(PersistentStoreError) -> (
        secret: DeviceSecret, isNew: Bool
    ) {
        do {
            if let bytes = try store.read(PersistentBlock.secret), bytes.count == secretSize + idSize {
                return (DeviceSecret(bytes: bytes), false)
            }
        } catch {
            // A device without its secret asks to be let in again; one that does not start is lost.
            guard case .damaged = error else { throw error }
        }
        // The system's generator is the kernel's.
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<secretSize + idSize).map { _ in UInt8.random(in: 0...255, using: &generator) }
        try store.write(PersistentBlock.secret, bytes)
        return (DeviceSecret(bytes: bytes), true)
    }

    /// Unique id for the authentication.
    var uniqueID: Authentication.UniqueID {
        var id = Authentication.UniqueID(repeating: 0)
        for i in 0..<Self.idSize { id[i] = bytes[Self.secretSize + i] }
        return id
    }

    /// Password of a device that has none configured.
    var password: PasswordText {
        DevicePassword.automatic(secret: Array(bytes.prefix(Self.secretSize))).flatMap { PasswordText($0) }
            ?? PasswordText()
    }
}
