internal import Access
internal import ByteTools
internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials

/// How much work and memory one check of a slow hash costs (RFC 7914).
public struct ScryptCost: Equatable, Sendable {
    /// Base 2 logarithm of the number of rounds N.
    public var logRounds: Int
    /// Block size r.
    public var blockSize: Int
    /// Number of passes p, done one after the other.
    public var passes: Int

    /// What new hashes get: 16 MiB and 65 ms of one core, as measured in a release build on a small server.
    public static let standard = ScryptCost(uncheckedLogRounds: 14, blockSize: 8, passes: 2)
    /// Most memory a check may take, whatever a file says: 32 MiB.
    public static let mostMemory = 32 << 20
    /// Most work (N · r · p) a check may take: twice the standard one.
    public static let mostWork = 1 << 19

    /// Nil when the numbers are outside of 1…15, 1…16, 1…8 or together cost more than ``mostMemory`` or ``mostWork``.
    public init?(logRounds: Int, blockSize: Int, passes: Int) {
        guard (1...15).contains(logRounds), (1...16).contains(blockSize), (1...8).contains(passes) else { return nil }
        self.init(uncheckedLogRounds: logRounds, blockSize: blockSize, passes: passes)
        guard memory <= Self.mostMemory, work <= Self.mostWork else { return nil }
    }

    private init(uncheckedLogRounds: Int, blockSize: Int, passes: Int) {
        logRounds = uncheckedLogRounds
        self.blockSize = blockSize
        self.passes = passes
    }

    /// Bytes held during a check.
    public var memory: Int { 128 * blockSize << logRounds }
    /// Measure of the time of a check.
    var work: Int { blockSize * passes << logRounds }
}

/// A salted and slow password hash: scrypt over the original's hash of the password.
///
/// Text form `$scrypt$ln=14,r=8,p=2$<salt>$<hash>`, salt and hash in lower-case hexadecimal. Because the input is the
/// original's hash and not the password, a hash found in an old accounts document can be protected at once, without
/// waiting for its owner to log in.
public struct SlowHash: Equatable, Sendable {
    /// Start of the text form.
    public static let prefix = "$scrypt$"
    /// Bytes of a salt.
    public static let saltBytes = 16
    /// Bytes of a hash.
    public static let hashBytes = 32

    /// What a check costs.
    public let cost: ScryptCost
    let salt: [UInt8]
    let hash: [UInt8]

    /// Hashes the original's hash of a password under a fresh salt of the system's random source. Takes the time and
    /// memory of `cost`, so never call it on an event loop.
    ///
    /// - Throws: ``PasswordError``.
    public init(original: String, cost: ScryptCost = .standard) throws(PasswordError) {
        guard OriginalHash.hasForm(original) else { throw .notAnOriginalHash }
        var random = SystemRandomNumberGenerator()
        salt = (0..<Self.saltBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        self.cost = cost
        guard let hash = Self.derive(original, salt: salt, cost: cost) else { throw .noMemory }
        self.hash = hash
    }

    /// Reads the text form; nil for anything else, also when the cost is outside the limits of ``ScryptCost``, so that a
    /// hostile accounts document can make a check neither slow nor large.
    public init?(text: String) {
        guard text.utf8.count <= 160 else { return nil }
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt",
            let cost = Self.cost(parts[2]), let salt = Hex.decode(parts[3]), let hash = Hex.decode(parts[4]),
            salt.count == Self.saltBytes, hash.count == Self.hashBytes
        else { return nil }
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// The text form.
    public var text: String {
        let numbers = "ln=\(cost.logRounds),r=\(cost.blockSize),p=\(cost.passes)"
        return "\(Self.prefix)\(numbers)$\(hexadecimal(salt))$\(hexadecimal(hash))"
    }

    /// True when `original` (the original's hash of the presented password) is the one that was hashed. Slow.
    public func matches(original: String) -> Bool {
        guard let derived = Self.derive(original, salt: salt, cost: cost) else { return false }
        return equalInConstantTime(derived, hash)
    }

    private static func cost(_ text: Substring) -> ScryptCost? {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == 3, let logRounds = number(fields[0], after: "ln="),
            let blockSize = number(fields[1], after: "r="), let passes = number(fields[2], after: "p=")
        else { return nil }
        return ScryptCost(logRounds: logRounds, blockSize: blockSize, passes: passes)
    }

    private static func number(_ field: Substring, after prefix: String) -> Int? {
        guard field.hasPrefix(prefix) else { return nil }
        let digits = field.dropFirst(prefix.count).utf8
        guard (1...2).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func derive(_ original: String, salt: [UInt8], cost: ScryptCost) -> [UInt8]? {
        let key = try? KDF.Scrypt.deriveKey(
            from: Array(original.utf8), salt: salt, outputByteCount: hashBytes, rounds: 1 << cost.logRounds,
            blockSize: cost.blockSize, parallelism: cost.passes)
        return key?.withUnsafeBytes { Array($0) }
    }
}

/// Why a password cannot be hashed.
public enum PasswordError: Error, Equatable, CustomStringConvertible {
    /// The text to protect is not a hash of the original.
    case notAnOriginalHash
    /// The system refused the memory of one check.
    case noMemory

    /// For people.
    public var description: String {
        switch self {
        case .notAnOriginalHash: "the text to protect is not \"!\" and 43 characters: hash the password first"
        case .noMemory: "the system has not enough memory to hash a password: free some and try again"
        }
    }
}
