import Access
import PackedJSON
import Testing

@testable import ServerData

@Suite struct AccountsTests {
    private let document = JSON.object([
        .init("before", .integer(1)),
        .init(
            "accounts",
            .object([
                .init("title", .string("t")),
                .init(
                    "accounts",
                    .array([
                        .object([
                            .init("note", .string("first")), .init("user", .string("root*")),
                            .init("password", .string(OriginalHash.of("pass"))), .init("privileges", .string("admin")),
                        ]),
                        .string("not an account"),
                    ])),
                .init("extra", .bool(true)),
                .init("whitelist", .array([.object([.init("ip", .string("10.0.0.1")), .init("why", .null)])])),
            ])),
        .init("after", .array([])),
    ])

    @Test func theDefaultAccountsOfTheOriginalAreReadAndWrittenByteForByte() throws {
        // application-layer.md 5.7, example 7.
        let packed =
            "140B6163636F756E7473007573657200726F6F742A002157646A4545316238374477585838317"
            + "84A45744470625" + "15F595F6563466F366C507A536F6E4B466F537A380070726976696C6567657300"
            + "61646D696E0077686974656C6973740011031050105100136216061348140713D2140E01110110F511010112E2"
        let bytes = stride(from: 0, to: packed.utf8.count, by: 2).compactMap { offset in
            UInt8(String(decoding: Array(packed.utf8)[offset..<offset + 2], as: UTF8.self), radix: 16)
        }
        let accounts = try Accounts(packed: bytes)
        #expect(accounts.users == [Account(user: "root*", password: OriginalHash.of("pass"), privileges: "admin")])
        #expect(accounts.whitelist.isEmpty)
        #expect(try accounts.packed() == bytes)
    }

    @Test func nothingIsLostInAnAccountsBlock() throws {
        let accounts = try Accounts(document)
        #expect(try Accounts(packed: try accounts.packed()) == accounts)
    }

    @Test func whatIsNotKnownIsKeptInItsPlace() throws {
        let accounts = try Accounts(document)
        #expect(accounts.json == document)
        #expect(accounts.users.count == 2)
        #expect(accounts.users[0].user == "root*")
        #expect(accounts.users[1].user == "")
        var changed = accounts
        changed.users[0].password = "x"
        #expect(changed.json["after"] == .array([]))
        #expect(changed.json["accounts"]?["accounts"]?.elements?[0]["note"] == .string("first"))
    }

    @Test func aDocumentWithoutTheOuterObjectIsReadAndWrittenAsItIs() throws {
        let flat = try #require(document["accounts"])
        let accounts = try Accounts(flat)
        #expect(accounts.users.count == 2)
        #expect(accounts.json == flat)
    }

    @Test func missingListsAreEmptyAndAreWritten() throws {
        let accounts = try Accounts(.object([.init("accounts", .object([]))]))
        #expect(accounts.users.isEmpty && accounts.whitelist.isEmpty)
        #expect(
            accounts.json
                == .object([
                    .init("accounts", .object([.init("accounts", .array([])), .init("whitelist", .array([]))]))
                ]))
        #expect(accounts.json == Accounts().json)
    }

    @Test func otherStructuresAreRefusedWithTheReason() {
        #expect(throws: AccountsError.notAnObject) { try Accounts(.array([])) }
        #expect(throws: AccountsError.notAList("accounts")) {
            try Accounts(.object([.init("accounts", .object([.init("accounts", .integer(1))]))]))
        }
        #expect(throws: AccountsError.notAList("whitelist")) {
            try Accounts(.object([.init("accounts", .object([.init("whitelist", .object([]))]))]))
        }
        let many = JSON.array([JSON](repeating: .null, count: Accounts.mostEntries + 1))
        #expect(throws: AccountsError.tooMany(list: "accounts", count: Accounts.mostEntries + 1)) {
            try Accounts(.object([.init("accounts", .object([.init("accounts", many)]))]))
        }
    }

    @Test func aPasswordThatIsNotTextMatchesNothing() {
        for value in [JSON.integer(0), .bool(true), .array([]), .object([])] {
            let account = Account(json: .object([.init("user", .string("a")), .init("password", value)]))
            for presented in ["", "0", "?"] {
                #expect(PasswordHash.verify(stored: account.password, presented: presented) == .mismatch)
            }
        }
    }

    @Test func aPasswordIsReplacedOnlyWhereTheOldOneStillStands() throws {
        var accounts = try Accounts(document)
        #expect(accounts.replacePassword(user: "root*", old: "other", with: "new") == 0)
        #expect(accounts.replacePassword(user: "root*", old: OriginalHash.of("pass"), with: "new") == 1)
        #expect(accounts.users[0].password == "new")
    }

    @Test func allOldHashesAreProtectedAtOnce() throws {
        var accounts = Accounts(users: [
            Account(user: "a", password: OriginalHash.of("pass")), Account(user: "b", password: "*"),
            Account(user: "c", password: nil),
        ])
        #expect(try accounts.protectAll(cost: cheap) == 1)
        #expect(PasswordHash.verify(stored: accounts.users[0].password, presented: "pass", wanted: cheap) == .match)
        #expect(accounts.users[1].password == "*" && accounts.users[2].password == nil)
        #expect(try accounts.protectAll(cost: cheap) == 0)
    }

    @Test func addressRangesThatMakeNoSenseContainNothing() throws {
        let address = try #require(IPAddress("10.0.0.1"))
        func range(_ members: [JSON.Member]) -> AddressRange { AddressRange(json: .object(members)) }
        #expect(range([.init("ip", .string("10.0.0.1"))]).contains(address))
        #expect(range([.init("ip", .string("10.0.0.1")), .init("last_ip", .string(""))]).contains(address))
        #expect(!range([.init("ip", .string("10.0.0.0"))]).contains(address))
        #expect(!range([.init("ip", .string("10.0.0.1")), .init("last_ip", .string("x"))]).contains(address))
        #expect(!range([.init("ip", .string("10.0.0.1")), .init("last_ip", .integer(1))]).contains(address))
        #expect(!range([.init("last_ip", .string("10.0.0.1"))]).contains(address))
        #expect(!range([.init("ip", .string("0.0.0.0")), .init("last_ip", .string("ffff::"))]).contains(address))
        #expect(!AddressRange(json: .integer(1)).contains(address))
    }
}
