import ByteTools
import ServerData

/// Texts that nobody can guess, and their comparison.
enum Secret {
    /// 256 random bits.
    static func text() -> String { hexadecimal((0..<32).map { _ in UInt8.random(in: 0...255) }) }

    /// Takes the same time wherever the texts differ.
    static func isSame(_ one: String, _ other: String) -> Bool {
        equalInConstantTime(Array(one.utf8), Array(other.utf8))
    }
}
