internal import Crypto

/// What a person compares before a new device is let in: the same at the device and at the operator's tool, unless somebody
/// sits between the device and the server.
///
/// It is made from the certificate of the server as each of the two sees it, and from the hash of the password that the device
/// showed (application-layer.md 7.5). Who sits in between has another certificate, so the codes differ. 80 bits: a certificate
/// that gives the same code can't be searched for.
public struct PairingCode: Sendable, Equatable, CustomStringConvertible {
    /// Five groups of four hexadecimal digits.
    public let description: String

    /// The code of a device at a server. `passwordHash` is the original's hash of its password, as the rows of new devices show
    /// it; `certificate` is that of the server, DER.
    public init(passwordHash: String, certificate: [UInt8]) {
        var hash = SHA256()
        hash.update(data: Array("IOCOM pairing".utf8))
        hash.update(data: Array(SHA256.hash(data: certificate)))
        hash.update(data: Array(passwordHash.utf8))
        let digits = hash.finalize().prefix(10).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
        description = stride(from: 0, to: 20, by: 4).map { start in
            String(digits.dropFirst(start).prefix(4))
        }.joined(separator: "-")
    }

    /// True when somebody typed this code; upper and lower case, dashes and spaces do not matter.
    public func matches(_ text: String) -> Bool {
        func plain(_ text: String) -> [UInt8] { text.lowercased().utf8.filter { $0 != 0x2D && $0 != 0x20 } }
        return plain(text) == plain(description)
    }
}

extension PairingCode {
    /// The code that a device shows which logs in with this password.
    public init(password: [UInt8], certificate: [UInt8]) {
        self.init(passwordHash: OriginalHash.of(password), certificate: certificate)
    }
}
