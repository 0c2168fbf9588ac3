// modules: IOCOM PackedJSON ByteTools ServerData
// helpers: PackedDocument
// options: -max_len=512
import IOCOM
import PackedJSON
import ServerData

/// An accounts document that an operator wrote: packed, or as text when the first byte is above 127. What is accepted is
/// written and read as the same, and decisions on it end, also for names the document makes up.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let limits = JSONLimits(bytes: 4096, depth: 8, items: 200, textBytes: 4096)
    let json: JSON?
    if first > 127 {
        json = try? JSON(parsing: input.dropFirst(), limits: limits)
    } else {
        json = try? JSON(unpacking: packedDocument(input), limits: limits)
    }
    guard let json, var accounts = try? Accounts(json) else { return }
    guard let packed = try? accounts.packed(), let again = try? Accounts(packed: packed) else {
        preconditionFailure("an accounts document can't be written and read")
    }
    precondition((try? again.packed()) == packed)
    let network: NetworkName = "cafenet"
    let authorizer = Authorizer(ownNetwork: network, documents: [NetworkAccounts(network, accounts)])
    for user in accounts.users.prefix(4) {
        // The check of a slow hash takes its time by design; the reading of its text has a target of its own.
        if PasswordHash(stored: user.password).isSlow { return }
        guard let name = UserName(utf8: user.user.utf8) else { continue }
        _ = authorizer.decide(
            LoginAttempt(
                name: name, number: 3, network: network, password: "pass", peer: IPAddress("10.0.0.7")))
    }
    for user in accounts.users.prefix(4) {
        let changed = accounts.replacePassword(user: user.user, old: user.password, with: "*")
        precondition(changed >= 1)
    }
}
