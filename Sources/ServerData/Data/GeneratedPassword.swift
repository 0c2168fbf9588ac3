/// Passwords made for people to copy.
public enum GeneratedPassword {
    /// Characters that are not mistaken for one another.
    static let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789")

    /// 25 characters in five groups, 29 with the dashes: about 123 bits from the system's random source. Fits into an
    /// authentication message (45 bytes).
    public static func make() -> String {
        var random = SystemRandomNumberGenerator()
        let groups = (0..<5).map { _ in
            String((0..<5).map { _ in alphabet[Int.random(in: alphabet.indices, using: &random)] })
        }
        return groups.joined(separator: "-")
    }
}
