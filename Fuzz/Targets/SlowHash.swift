// modules: IOCOM PackedJSON ByteTools ServerData
// options: -max_len=192
import ServerData

/// A stored password text: what is read as a slow hash stays within the cost a check may have and is written as the same
/// text, but for capital letters and leading zeros.
func fuzz(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    let hash = PasswordHash(stored: text)
    guard let slow = SlowHash(text: text) else {
        precondition(!hash.isSlow)
        return
    }
    precondition(hash == .slow(slow) && SlowHash(text: slow.text) == slow)
    precondition(slow.cost.memory <= ScryptCost.mostMemory)
}
