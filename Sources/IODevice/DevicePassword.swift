import ByteTools
internal import Crypto

/// The password of a device that has none configured (wire-protocol.md 4.4).
public enum DevicePassword {
    /// 43 characters made from the device's 32 random secret bytes; nil when `secret` is not 32 bytes long.
    public static func automatic(secret: [UInt8]) -> String? {
        guard secret.count == 32 else { return nil }
        var bytes = secret
        bytes[1] ^= 5
        return HashText.text(of: Array(SHA256.hash(data: bytes)))
    }
}
