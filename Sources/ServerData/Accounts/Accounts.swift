public import Access
public import PackedJSON

/// The accounts document of one IO network (application-layer.md 7.2): who may log in, and from where without password.
///
/// Members this type does not know stay as they are and where they are, so a document that passes through loses nothing.
public struct Accounts: Equatable, Sendable {
    /// Most accounts and most address ranges in one document.
    public static let mostEntries = 4096

    /// The accounts, in document order.
    public var users: [Account]
    /// The address ranges, in document order.
    public var whitelist: [AddressRange]

    /// All members around the two lists; false when the document has them without the outer `accounts` object.
    private var outer: [JSON.Member]
    private var inner: [JSON.Member]
    private var isNested: Bool

    /// A document with the given entries.
    public init(users: [Account] = [], whitelist: [AddressRange] = []) {
        self.users = users
        self.whitelist = whitelist
        outer = []
        inner = []
        isNested = true
    }

    /// Reads a document: `{"accounts": {"accounts": […], "whitelist": […]}}`; the outer object may be absent.
    ///
    /// - Throws: ``AccountsError`` when the document has not that structure. Entries that make no sense are kept and
    ///   match nothing.
    public init(_ json: JSON) throws(AccountsError) {
        guard case .object(let members) = json else { throw .notAnObject }
        if case .object(let nested)? = json["accounts"] {
            isNested = true
            outer = members
            inner = nested
        } else {
            isNested = false
            outer = []
            inner = members
        }
        users = try Self.list("accounts", of: inner).map(Account.init(json:))
        whitelist = try Self.list("whitelist", of: inner).map(AddressRange.init(json:))
    }

    private static func list(_ name: String, of members: [JSON.Member]) throws(AccountsError) -> [JSON] {
        switch members.first(where: { $0.name == name })?.value {
        case nil, .null, .string(""): return []
        case .array(let elements):
            guard elements.count <= mostEntries else { throw .tooMany(list: name, count: elements.count) }
            return elements
        default: throw .notAList(name)
        }
    }

    /// The document. Both lists are always written.
    public var json: JSON {
        var members = inner
        members.set("accounts", .array(users.map(\.json)))
        members.set("whitelist", .array(whitelist.map(\.json)))
        guard isNested else { return .object(members) }
        var document = outer
        document.set("accounts", .object(members))
        return .object(document)
    }

    /// Reads a packed document, as it is in an accounts block.
    ///
    /// - Throws: `UnpackingError` or ``AccountsError``.
    public init(packed bytes: [UInt8]) throws {
        try self.init(try JSON(unpacking: bytes))
    }

    /// The packed document with all its members, for an accounts block. A reader of the original sees `true`, `false` and
    /// `null` as members it skips.
    ///
    /// - Throws: `PackingError`.
    public func packed() throws(PackingError) -> [UInt8] { try json.packed(.lossless) }

    /// Puts `text` in the place of the password of every account of this name that still stores `old`. Returns the number
    /// of accounts changed: none when somebody else changed the password meanwhile.
    @discardableResult
    public mutating func replacePassword(user: String, old: String?, with text: String) -> Int {
        var changed = 0
        for index in users.indices where users[index].user == user && users[index].password == old {
            users[index].password = text
            changed += 1
        }
        return changed
    }

    /// Most hashes that ``protectNew(since:cost:)`` makes.
    public static let mostNewHashes = 64

    /// Replaces passwords that came with a change by slow hashes of them: hashes of the original and, since the original's
    /// operator tool stores them as typed, passwords in plain text (application-layer.md 7.5). What `before` has already
    /// stays; so do more than ``mostNewHashes`` of them, which get better hashes at their next login. Slow.
    ///
    /// - Throws: ``PasswordError``; nothing is changed then.
    public mutating func protectNew(since before: Accounts?, cost: ScryptCost = .standard) throws(PasswordError) {
        let known = Set((before?.users ?? []).compactMap(\.password))
        var result = users
        var made = 0
        for index in result.indices where made < Self.mostNewHashes {
            guard let stored = result[index].password, !known.contains(stored) else { continue }
            if case .original(let hash) = PasswordHash(stored: stored) {
                result[index].password = try SlowHash(original: hash, cost: cost).text
            } else if PackingOptions.isPlainPassword(stored) {
                result[index].password = try PasswordHash.protect(password: stored, cost: cost)
            } else {
                continue
            }
            made += 1
        }
        users = result
    }

    /// Replaces all hashes of the original by slow ones. Returns the number of accounts changed. Takes the time of one
    /// slow hash an account, so keep it off event loops.
    ///
    /// - Throws: ``PasswordError``; nothing is changed then.
    @discardableResult
    public mutating func protectAll(cost: ScryptCost = .standard) throws(PasswordError) -> Int {
        var result = users
        var changed = 0
        for index in result.indices {
            guard case .original(let hash) = PasswordHash(stored: result[index].password) else { continue }
            result[index].password = try SlowHash(original: hash, cost: cost).text
            changed += 1
        }
        users = result
        return changed
    }
}

/// One account: who, with which password, allowed what.
public struct Account: Equatable, Sendable {
    /// The entry as it is in the document.
    public private(set) var json: JSON

    /// An entry of a document.
    public init(json: JSON) { self.json = json }

    /// A new account. `password` is the stored text (``PasswordHash``), never the password itself.
    public init(user: String, password: String?, privileges: String = "") {
        json = .object([])
        self.user = user
        self.password = password
        self.privileges = privileges
    }

    /// Pattern of the names it is for (``Wildcard``); empty when it is missing, then it matches nobody.
    public var user: String {
        get { json["user"]?.text ?? "" }
        set { json.set("user", .string(newValue)) }
    }

    /// The stored password text; nil when it is missing. A value that is not text is `unusable` text and matches nothing.
    public var password: String? {
        get {
            switch json["password"] {
            case nil, .null?: nil
            case .string(let text)?: text
            default: "?"
            }
        }
        set { json.set("password", newValue.map(JSON.string)) }
    }

    /// What the account is: its privileges, and a device when they say nothing we know.
    public var role: Role { Role(privileges: privileges) ?? .device }

    /// True for an account that lets in a device and nobody else.
    public var isOfDevice: Bool { role == .device }

    /// The privileges text, empty when it is missing.
    public var privileges: String {
        get { json["privileges"]?.text ?? "" }
        set { json.set("privileges", .string(newValue)) }
    }
}

/// A range of addresses from which anybody may log in without password.
public struct AddressRange: Equatable, Sendable {
    /// The entry as it is in the document.
    public let json: JSON

    /// An entry of a document.
    public init(json: JSON) { self.json = json }

    /// A new range; both ends are part of it.
    public init(first: IPAddress, last: IPAddress) {
        json = .object([.init("ip", .string(first.description)), .init("last_ip", .string(last.description))])
    }

    /// True when `address` is in the range. A range without `last_ip` is the single address `ip`; one that cannot be
    /// parsed contains nothing.
    public func contains(_ address: IPAddress) -> Bool {
        guard let text = json["ip"]?.text, let first = IPAddress(text) else { return false }
        switch json["last_ip"] {
        case nil, .null?, .string("")?: return address == first
        case .string(let text)?: return IPAddress(text).map { address.isBetween(first, $0) } ?? false
        default: return false
        }
    }
}

/// Why a document is not an accounts document.
public enum AccountsError: Error, Equatable, CustomStringConvertible {
    /// The document is a list or a plain value.
    case notAnObject
    /// The named member should be a list.
    case notAList(String)
    /// The named list has too many entries.
    case tooMany(list: String, count: Int)

    /// For people.
    public var description: String {
        switch self {
        case .notAnObject: "an accounts document must be an object that starts with {"
        case .notAList(let name): "\"\(name)\" of the accounts document must be a list"
        case .tooMany(let list, let count):
            "\"\(list)\" of the accounts document has \(count) entries; at most \(Accounts.mostEntries) are read"
        }
    }
}

extension [JSON.Member] {
    /// Replaces the first member of this name, or adds one; nil removes it.
    mutating func set(_ name: String, _ value: JSON?) {
        let index = firstIndex { $0.name == name }
        switch (index, value) {
        case (let index?, let value?): self[index].value = value
        case (let index?, nil): remove(at: index)
        case (nil, let value?): append(.init(name, value))
        case (nil, nil): break
        }
    }
}

extension JSON {
    /// Sets a member of an object; anything else becomes an object first.
    fileprivate mutating func set(_ name: String, _ value: JSON?) {
        var members: [Member] = []
        if case .object(let present) = self { members = present }
        members.set(name, value)
        self = .object(members)
    }
}
