/// The text form of a hash in the protocol (application-layer.md 7.5): 43 characters for 32 bytes.
public enum HashText {
    /// Letters by value; 0 comes first.
    public static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-".utf8)

    /// Groups of three bytes in little-endian bit order; of the 44 characters of 32 bytes the last is dropped.
    public static func text(of digest: [UInt8]) -> String {
        var characters: [UInt8] = []
        characters.reserveCapacity(44)
        var accumulator = 0
        var bits = 0
        for byte in digest + [0] {
            accumulator |= Int(byte) << bits
            bits += 8
            while bits >= 6 {
                characters.append(alphabet[accumulator & 63])
                accumulator >>= 6
                bits -= 6
            }
        }
        return String(decoding: characters.prefix(43), as: UTF8.self)
    }
}
