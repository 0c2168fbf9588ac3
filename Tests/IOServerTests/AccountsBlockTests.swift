import IOCOM
import IOOperator
import IOServer
import ServerData
import Testing

@Suite("Accounts over the network", .serialized) struct AccountsBlockTests {
    private static let accounts = DevicePath(name: "accounts", number: 1, network: "cafenet")
    private static let server = DevicePath(name: "frank", number: 1, network: "cafenet")

    @Test func newAccountsAreInForceAtOnce() async throws {
        let fixture = try await ServerFixture()
        let session = try await fixture.makeOperator()
        let (bytes, status) = try await session.read(block: 21, of: Self.accounts)
        #expect(status == .completed)
        var document = try Accounts(packed: bytes)
        document.users.append(
            Account(user: "new", password: try PasswordHash.protect(password: "x", cost: .cheap), privileges: "admin"))
        await #expect(throws: OperatorError.self) { _ = try await fixture.makeOperator("new", password: "x") }
        let packed = try document.packed()
        #expect(try await session.write(packed, block: 21, of: Self.accounts) == .completed)
        let new = try await fixture.makeOperator("new", password: "x")
        #expect(try await new.read(block: 21, of: Self.accounts).bytes == packed)
        await new.close()
        await session.close()
        await fixture.stop()
    }

    @Test func damagedAccountsAreRefusedAndTheOldOnesStay() async throws {
        let fixture = try await ServerFixture()
        let session = try await fixture.makeOperator()
        let good = try await session.read(block: 21, of: Self.accounts).bytes
        var flipped = good
        flipped[good.count / 2] ^= 1
        for bad in [Array(good.dropLast(7)), flipped, Array("no accounts".utf8), []] {
            #expect(try await session.write(bad, block: 21, of: Self.accounts) != .completed)
        }
        #expect(try await session.read(block: 21, of: Self.accounts).bytes == good)
        let again = try await fixture.makeOperator()
        await again.close()
        await session.close()
        await fixture.stop()
    }

    @Test func secretsAndForeignAccountsAreNeitherReadNorWritten() async throws {
        let fixture = try await ServerFixture()
        let session = try await fixture.makeOperator()
        for block in [4, 5, 7, 21, 22] {
            #expect(try await session.read(block: block, of: Self.server).status == .readFailed)
            #expect(try await session.write([1], block: block, of: Self.server) == .noAccess)
        }
        #expect(try await session.read(block: 22, of: Self.accounts).status == .readFailed)
        #expect(try await session.write([1], block: 22, of: Self.accounts) == .noAccess)
        #expect(try await session.write([1], block: 12, of: Self.server) == .noAccess)
        #expect(try await session.write([1], block: 1, of: Self.server) == .notSupported)
        #expect(try await session.read(block: 3, of: Self.server).status == .completed)
        let defaults = try await session.read(block: 3, of: Self.accounts).bytes
        #expect(try Accounts(packed: defaults).users.isEmpty)
        await session.close()
        await fixture.stop()
    }
}
