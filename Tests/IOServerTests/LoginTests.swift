import Access
import IOCOM
import IOOperator
import IOServer
import ServerData
import Testing

@Suite("Logging in", .serialized) struct LoginTests {
    @Test func theRightPasswordLetsAnAdministratorIn() async throws {
        let fixture = try await ServerFixture()
        let session = try await fixture.makeOperator()
        let paths = try await ServerFixture.paths(session)
        #expect(paths == ["accounts1.cafenet", "frank1.cafenet"])
        #expect(await fixture.events.wait { if case .login(let who) = $0 { who.role == .admin } else { false } })
        await session.close()
        await fixture.stop()
    }

    @Test func aWrongPasswordIsRefusedAndShownToOperatorsWithoutThePassword() async throws {
        let fixture = try await ServerFixture()
        let session = try await fixture.makeOperator()
        await #expect(throws: OperatorError.self) { _ = try await fixture.makeOperator(password: "wrong") }
        #expect(
            await fixture.events.wait {
                if case .refused(_, let reason) = $0 { reason == "wrong password" } else { false }
            })
        #expect(!fixture.events.all.contains { "\($0)".contains("wrong\"") })
        let accounts = DevicePath(name: "accounts", number: 1, network: "cafenet")
        try await session.takeAllBlocks(of: accounts)
        let isShown = await eventually {
            let signals = (try? await session.signals(of: accounts)) ?? []
            return signals.contains { $0.name == "new1_text" && $0.value == .text("WRONG PASSWORD") }
                && signals.contains { $0.name == "new1_name" && $0.value == .text("root") }
        }
        #expect(isShown)
        await session.close()
        await fixture.stop()
    }

    @Test func anUnknownNetworkIsRefused() async throws {
        let fixture = try await ServerFixture()
        await #expect(throws: OperatorError.self) { _ = try await fixture.makeOperator("root", "othernet") }
        await fixture.stop()
    }

    @Test func anAccountOfADeviceCannotOperate() async throws {
        let fixture = try await ServerFixture()
        await #expect(throws: OperatorError.self) {
            _ = try await fixture.makeOperator("candy", "cafenet", password: "secret1")
        }
        #expect(
            await fixture.events.wait {
                if case .refused(_, let reason) = $0 { reason.contains("no role") } else { false }
            })
        await fixture.stop()
    }

    @Test func anOperatorWhoIsNoAdministratorDoesNotSeeAccounts() async throws {
        let fixture = try await ServerFixture()
        let session = try await fixture.makeOperator("watcher", "cafenet", password: "look")
        #expect(try await ServerFixture.paths(session) == ["frank1.cafenet"])
        await session.close()
        await fixture.stop()
    }

    @Test func whoFailsTooOftenHasToWait() async throws {
        var limits = ServerLimits()
        limits[.loginFailures] = 2
        limits[.loginWaitSeconds] = 60
        let fixture = try await ServerFixture(limits: limits)
        for _ in 0..<2 {
            await #expect(throws: OperatorError.self) { _ = try await fixture.makeOperator(password: "wrong") }
        }
        await #expect(throws: OperatorError.self) { _ = try await fixture.makeOperator() }
        #expect(
            await fixture.events.wait {
                if case .refused(_, let reason) = $0 { reason.contains("too many") } else { false }
            })
        // Others are not concerned.
        let other = try await fixture.makeOperator("watcher", "cafenet", password: "look")
        await other.close()
        await fixture.stop()
    }

    @Test func aHashOfTheOriginalIsReplacedByASlowOneAtTheFirstLogin() async throws {
        let fixture = try await ServerFixture(prepare: { folder in
            var accounts = try folder.accounts(of: "cafenet")
            accounts.users[0].password = "!WdjEE1b87DwXX81xJEtDpbQ_Y_ecFo6lPzSonKFoSz8"
            try folder.save(accounts, of: "cafenet")
        })
        let session = try await fixture.makeOperator()
        let isBetter = await eventually {
            let accounts = try? ServerFolder.open(at: fixture.folder).accounts(of: "cafenet")
            return accounts?.users.first?.password?.hasPrefix("$scrypt$") == true
        }
        #expect(isBetter)
        let again = try await fixture.makeOperator()
        await again.close()
        await session.close()
        await fixture.stop()
    }
}
