import Access
import IOCOM
import Testing

@testable import ServerData

@Suite struct AuthorizerTests {
    private func slow(_ password: String) throws -> String {
        try PasswordHash.protect(password: password, cost: cheap)
    }

    private func server(_ own: [Account], other: [Account] = [], range: AddressRange? = nil) -> Authorizer {
        Authorizer(
            ownNetwork: "cafenet",
            documents: [
                NetworkAccounts("cafenet", Accounts(users: own, whitelist: range.map { [$0] } ?? [])),
                NetworkAccounts("asteroidnet", Accounts(users: other)),
            ], wantedCost: cheap)
    }

    private func attempt(
        _ name: UserName, _ number: UInt32 = 0, uid: Bool = false, network: NetworkName = "cafenet",
        password: PasswordText = "", from peer: String? = nil
    ) -> LoginAttempt {
        LoginAttempt(
            name: name, number: number, hasUniqueID: uid, network: network, password: password,
            peer: peer.flatMap { IPAddress(peer: $0) })
    }

    private func accepted(_ decision: AuthorizationDecision) throws -> Authorization {
        guard case .accepted(let authorization) = decision else {
            Issue.record("refused: \(decision)")
            throw Failed()
        }
        return authorization
    }

    private struct Failed: Error {}

    private func reason(_ decision: AuthorizationDecision) -> Refusal.Reason? {
        if case .refused(let refusal) = decision { return refusal?.reason }
        return nil
    }

    @Test func theAdministratorIsLetIntoTheRequestedNetworkOnly() throws {
        let server = server([Account(user: "root*", password: try slow("pass"), privileges: "admin")])
        let result = try accepted(server.decide(attempt("root", password: "pass")))
        #expect(result.network == "cafenet" && result.role == .admin && result.account?.user == "root*")
        #expect(result.upgrades.isEmpty)
        #expect(!result.byAddressOnly)
    }

    @Test func aHashOfTheOriginalIsAcceptedAndReportedForUpgrade() throws {
        let stored = OriginalHash.of("pass")
        let server = server([Account(user: "root*", password: stored, privileges: "admin")])
        let result = try accepted(server.decide(attempt("root", password: "pass")))
        #expect(result.upgrades == [AccountUpgrade(network: "cafenet", user: "root*", stored: stored)])
    }

    @Test func theNumberIsPartOfTheName() throws {
        let server = server([Account(user: "gina1", password: "*")])
        #expect(try accepted(server.decide(attempt("gina", 1))).role == .device)
        #expect(reason(server.decide(attempt("gina", 2))) == .newDevice)
        #expect(reason(server.decide(attempt("gina"))) == .newDevice)
    }

    @Test func refusalsSayWhyAndCarryTheHash() throws {
        let server = server([Account(user: "candy*", password: try slow("right"))])
        #expect(reason(server.decide(attempt("candy", 3, password: "wrong"))) == .wrongPassword)
        #expect(reason(server.decide(attempt("candy", 3))) == .noPassword)
        #expect(
            server.decide(attempt("gina", 3, password: "pass"))
                == .refused(
                    Refusal(
                        reason: .newDevice, network: "cafenet", name: "gina3", passwordHash: OriginalHash.of("pass"))))
        guard case .refused(let refusal?) = server.decide(attempt("gina", 3)) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.passwordHash == "")
    }

    @Test func anAcceptedDeviceMayLogInWithTheHashOfItsNotification() throws {
        let refused = server([]).decide(attempt("gina", 3, password: "automatic"))
        guard case .refused(let refusal?) = refused else {
            Issue.record("not refused")
            return
        }
        let server = server([Account(user: refusal.name, password: refusal.passwordHash)])
        let result = try accepted(server.decide(attempt("gina", 3, password: "automatic")))
        #expect(result.role == .device && result.network == "cafenet")
    }

    @Test func accountsOfTheOwnNetworkAdmitPeersOfOtherNetworks() throws {
        let server = server([Account(user: "frank*.othernet", password: "*", privileges: "server")])
        let result = try accepted(server.decide(attempt("frank", 1, network: "othernet")))
        #expect(result.network == "othernet" && result.role == .server)
        #expect(reason(server.decide(attempt("frank", 1))) == .newDevice)
        // Not published here, so its operators are told on the server's own network, by the full name.
        #expect(
            server.decide(attempt("gina", 1, network: "othernet"))
                == .refused(
                    Refusal(reason: .newDevice, network: "cafenet", name: "gina1.othernet", passwordHash: "")))
    }

    @Test func accountsOfAnotherPublishedNetworkDoNotCountElsewhere() throws {
        let server = server([], other: [Account(user: "*", password: "*", privileges: "admin")])
        _ = try accepted(server.decide(attempt("root", network: "asteroidnet")))
        #expect(reason(server.decide(attempt("root"))) == .newDevice)
        #expect(reason(server.decide(attempt("root", network: "othernet"))) == .newDevice)
        guard case .refused(let refusal?) = self.server([]).decide(attempt("x", network: "asteroidnet")) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.network == "asteroidnet" && refusal.name == "x")
    }

    @Test func rightsOfAllMatchingAccountsAddUp() throws {
        let server = server([
            Account(user: "r*", password: "*"),
            Account(user: "ro*", password: try slow("other"), privileges: "admin"),
            Account(user: "root", password: try slow("pass"), privileges: "admin"),
        ])
        #expect(try accepted(server.decide(attempt("root", password: "pass"))).role == .admin)
        #expect(try accepted(server.decide(attempt("root", password: "none"))).role == .device)
    }

    @Test func privilegesCountOnlyAsTheWholeText() throws {
        for text in ["Admin", "admin ", "admin,server", "root"] {
            let server = server([Account(user: "root", password: "*", privileges: text)])
            #expect(try accepted(server.decide(attempt("root"))).role == .device)
        }
    }

    @Test func aPeerOfAListedAddressNeedsNoPasswordAndGetsNoRights() throws {
        let range = AddressRange(
            first: try #require(IPAddress("10.0.0.1")), last: try #require(IPAddress("10.0.0.9")))
        let server = server([Account(user: "root*", password: try slow("pass"), privileges: "admin")], range: range)
        let result = try accepted(server.decide(attempt("root", password: "wrong", from: "10.0.0.5:1234")))
        #expect(result.role == .device)
        #expect(result.byAddressOnly)
        #expect(reason(server.decide(attempt("root", password: "wrong", from: "10.0.1.5"))) == .wrongPassword)
        #expect(reason(server.decide(attempt("root", password: "wrong"))) == .wrongPassword)
        let known = try accepted(server.decide(attempt("root", password: "pass", from: "10.0.0.5")))
        #expect(known.role == .admin && !known.byAddressOnly)
    }

    @Test(arguments: Role.allCases)
    func thePrivilegesOfAnAccountAreItsRole(role: Role) throws {
        let server = server([Account(user: "*", password: "*", privileges: role.rawValue)])
        for attempt in [attempt("candy", 3), attempt("candy", uid: true), attempt("anna")] {
            #expect(try accepted(server.decide(attempt)).role == role)
        }
    }

    @Test func anAccountWithoutPrivilegesIsADevice() throws {
        let server = server([Account(user: "*", password: "*")])
        for attempt in [attempt("candy", 3), attempt("candy", uid: true), attempt("anna")] {
            #expect(try accepted(server.decide(attempt)).role == .device)
        }
    }

    @Test func aDevicesOwnAccountIsTheOnlyOneThatLetsItIn() throws {
        let range = AddressRange(first: try #require(IPAddress("10.0.0.1")), last: try #require(IPAddress("10.0.0.9")))
        let server = server(
            [
                Account(user: "candy*", password: try slow("of all")),
                Account(user: "candy7", password: try slow("its own")),
                Account(user: "*", password: try slow("any"), privileges: "admin"),
            ], range: range)
        #expect(try accepted(server.decide(attempt("candy", 7, password: "its own"))).account?.user == "candy7")
        #expect(try accepted(server.decide(attempt("candy", 8, password: "of all"))).role == .device)
        #expect(reason(server.decide(attempt("candy", 7, password: "of all"))) == .wrongPassword)
        #expect(reason(server.decide(attempt("candy", 7, password: "any"))) == .wrongPassword)
        #expect(reason(server.decide(attempt("candy", 7, password: "x", from: "10.0.0.5:1"))) == .wrongPassword)
        #expect(try accepted(server.decide(attempt("candy", 9, password: "x", from: "10.0.0.5:1"))).byAddressOnly)
    }

    @Test func twoDevicesOfTheSameNameHaveAnAccountEach() throws {
        let server = server([
            Account(user: "candy", password: try slow("one")), Account(user: "candy", password: try slow("two")),
        ])
        for password in ["one", "two"] as [PasswordText] {
            #expect(try accepted(server.decide(attempt("candy", uid: true, password: password))).role == .device)
        }
        #expect(reason(server.decide(attempt("candy", uid: true, password: "three"))) == .wrongPassword)
    }

    @Test func emptyAndMalformedNamesAreRefusedWithoutNotification() {
        let server = server([Account(user: "*", password: "*")])
        #expect(server.decide(attempt("")) == .refused(nil))
        #expect(server.decide(attempt("", 5)) == .refused(nil))
        #expect(server.decide(attempt("root", network: "")) == .refused(nil))
        #expect(server.decide(attempt("frank1.cafenet")) == .refused(nil))
        #expect(server.decide(attempt("ro\u{1B}[31m")) == .refused(nil))
        #expect(server.decide(attempt("ro\0")) == .refused(nil))
        let invalid = UserName(utf8: [0x72, 0xFF]) ?? ""
        #expect(server.decide(attempt(invalid)) == .refused(nil))
    }

    @Test func aNameWithADotCannotPoseAsSomebodyOfAnotherNetwork() {
        let server = server([Account(user: "frank*.cloud", password: "*", privileges: "server")])
        #expect(server.decide(attempt("frank1.cloud")) == .refused(nil))
    }

    @Test func anAccountWithoutNameMatchesNobody() {
        let server = server([Account(user: "", password: "*")])
        #expect(reason(server.decide(attempt("root"))) == .newDevice)
    }

    @Test func passwordsThatAreNotUTF8AreHashedAsTheyCame() throws {
        // SHA-256 over E4 00, a password "ä" in Latin 1.
        let bytes: [UInt8] = [0xE4]
        let server = server([Account(user: "root", password: OriginalHash.of(bytes))])
        _ = try accepted(server.decide(attempt("root", password: PasswordText(utf8: bytes) ?? "")))
        #expect(reason(server.decide(attempt("root", password: "\u{FFFD}"))) == .wrongPassword)
    }

    @Test func onlyAFewSlowHashesAreCheckedAndEqualOnesOnce() throws {
        var accounts = try (0..<Authorizer.mostSlowChecks).map { Account(user: "root*", password: try slow("x\($0)")) }
        let right = Account(user: "root*", password: try slow("pass"), privileges: "admin")
        accounts.append(right)
        #expect(reason(server(accounts).decide(attempt("root", password: "pass"))) == .wrongPassword)
        accounts.removeFirst()
        _ = try accepted(server(accounts).decide(attempt("root", password: "pass")))
        let same = [Account](repeating: accounts[0], count: 100)
        _ = try accepted(server(same + [right]).decide(attempt("root", password: "pass")))
    }

    @Test func anEntryThatCannotBeAPasswordDoesNotLetIn() {
        for stored in ["root", "auto", "$scrypt$ln=30,r=8,p=1$00$00"] {
            let server = server([Account(user: "root", password: stored)])
            #expect(reason(server.decide(attempt("root", password: "root"))) == .wrongPassword)
        }
    }
}
