import Access
import ByteTools
import Crypto
import IOCOM
import IOOperator
import NetworkConfiguration
import PackedJSON
import ServerData

/// The configuration of a device or of a network's accounts: read, checked, written.
enum DeviceConfiguration {
    private static let defaultsBlock = 3
    private static let networkBlock = 2

    /// Block, defaults and what is saved.
    static func read(_ device: DevicePath, _ access: Operator, _ saved: SavedConfigurations) async throws -> JSON {
        let summary = try await access.device(device)
        let isAccounts = summary.application == "accounts"
        let block = number(device, isAccounts)
        let defaults = try await access.document(inBlock: defaultsBlock, of: device) ?? .object([])
        let current = try await access.document(inBlock: block, of: device)
        let certificate = isAccounts ? try await access.serverCertificate() : nil
        return [
            "certificateHash": certificate.map { .string(hexadecimal(SHA256.hash(data: $0))) } ?? .null,
            "kind": .string(isAccounts ? "accounts" : "network"), "block": .integer(Int64(block)),
            "defaults": withoutSecrets(defaults), "current": current.map { withoutSecrets($0) } ?? .null,
            "restartNeeded": .bool(summary.configuration.map { $0.state == .saved } ?? saved.waits(summary)),
            "state": summary.configuration.map { .string($0.state.name) } ?? .null,
            "reason": summary.configuration?.error.map { .string($0) } ?? .null,
        ]
    }

    /// Checks a document and writes it. Secrets that were not shown stay as they are.
    static func write(
        _ document: JSON, to device: DevicePath, _ access: Operator, _ saved: SavedConfigurations
    ) async throws -> String {
        let summary = try await access.device(device)
        let isAccounts = summary.application == "accounts"
        let block = number(device, isAccounts)
        let before = try await access.document(inBlock: block, of: device) ?? .object([])
        let restored = try withSecrets(document, from: before)
        let packed: [UInt8]
        do {
            if isAccounts {
                packed = try checkedAccounts(restored).packed()
            } else {
                packed = try ConfigurationEditor.packed(restored, for: device)
            }
        } catch let error as ConfigurationProblems {
            throw WebError(
                .refused, "the configuration for \(device) is not valid:\n\(error)", fields: error.problems)
        } catch let error as WebError { throw error } catch {
            throw WebError(.refused, "the document for \(device) is not valid: \(error)")
        }
        let result = try await access.write(ArraySource(packed), to: block, of: device) { _ in }
        if let failure = result.failure { throw WebError(failure) }
        if !isAccounts { saved.note(summary) }
        return isAccounts
            ? "the accounts of \(device) are saved and count at once"
            : "the configuration of \(device) is saved; it counts after a restart of the device"
    }

    /// Has the device go back to its last good configuration.
    static func goBack(_ device: DevicePath, _ access: Operator) async throws -> String {
        guard try await access.device(device).configuration != nil else {
            throw WebError(.notSupported, "\(device) does not keep its last good configuration")
        }
        try await access.command([("cfg_back", "true")], of: device)
        return "\(device) was told to go back to its last good configuration; it may restart and have another name then"
    }

    /// Network k has block 20 + k; the number is all digits of the device, not only the first.
    private static func number(_ device: DevicePath, _ isAccounts: Bool) -> Int {
        isAccounts ? ServerSettings.accountsBlock + Int(device.number) : networkBlock
    }

    // MARK: Accounts

    private static func checkedAccounts(_ document: JSON) throws -> Accounts {
        let accounts = try Accounts(hashed(document))
        for account in accounts.users where account.user.isEmpty {
            throw WebError(.refused, "an account has no user name")
        }
        guard accounts.users.contains(where: { $0.role == .admin && $0.password?.isEmpty == false }) else {
            throw WebError(
                .refused, "no account with the privilege admin and a password is left: nobody could change this again")
        }
        return accounts
    }

    /// Passwords that somebody typed are hashed before they travel; the server makes slow hashes of them.
    private static func hashed(_ json: JSON) -> JSON {
        switch json {
        case .array(let elements): return .array(elements.map(hashed))
        case .object(let members):
            var result: [JSON.Member] = []
            let typed = members.first { $0.name == "newPassword" }?.value.text
            for member in members where member.name != "newPassword" {
                if member.name == "password" {
                    if typed != nil { continue }
                    if let text = member.value.text, PackingOptions.isPlainPassword(text) {
                        result.append(JSON.Member("password", .string(OriginalHash.of(text))))
                        continue
                    }
                }
                result.append(JSON.Member(member.name, hashed(member.value)))
            }
            if let typed { result.append(JSON.Member("password", .string(OriginalHash.of(typed)))) }
            return .object(result)
        default: return json
        }
    }

    // MARK: Secrets

    /// What stands for a secret in a page, with a code that only this process can make: rows may be moved and the document
    /// may change meanwhile, and still each secret comes back to its own place or not at all.
    private static let hidden = "hidden:"
    private static let key = SymmetricKey(size: .bits256)

    private static func code(_ secret: String) -> String {
        hidden
            + hexadecimal(
                Array(HMAC<SHA256>.authenticationCode(for: Array(secret.utf8), using: key)).prefix(16).map { $0 })
    }

    /// A document without the secrets of Wi-Fi and accounts; hashes too are nothing for pages.
    private static func withoutSecrets(_ json: JSON) -> JSON {
        replaceSecrets(json, code)
    }

    private static func withSecrets(_ json: JSON, from before: JSON) throws -> JSON {
        var secrets: [String: String] = [:]
        _ = replaceSecrets(before) { text in
            secrets[code(text)] = text
            return text
        }
        return try replaceSecrets(json) { text in
            guard text.hasPrefix(hidden) else { return text }
            guard let secret = secrets[text] else {
                throw WebError(
                    .refused, "a password was changed by somebody else meanwhile; load the configuration again")
            }
            return secret
        }
    }

    private static func replaceSecrets(_ json: JSON, _ replace: (String) throws -> String) rethrows -> JSON {
        switch json {
        case .array(let elements): return .array(try elements.map { try replaceSecrets($0, replace) })
        case .object(let members):
            return .object(
                try members.map { member in
                    if member.name == "password", let text = member.value.text, !text.isEmpty, text != "*" {
                        return JSON.Member(member.name, .string(try replace(text)))
                    }
                    return JSON.Member(member.name, try replaceSecrets(member.value, replace))
                })
        default: return json
        }
    }
}
