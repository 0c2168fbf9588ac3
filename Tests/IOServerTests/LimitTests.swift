import Glibc
import IOCOM
import IOCOMTransport
import IOOperator
import IOServer
import ServerData
import Testing

/// Limits of a running server, each seen from outside.
@Suite("Limits", .serialized) struct LimitTests {
    private func fixture(_ values: [ServerLimits.Name: Int]) async throws -> ServerFixture {
        var limits = ServerLimits()
        for (name, value) in values { limits[name] = value }
        return try await ServerFixture(limits: limits)
    }

    private func refusals(_ name: ServerLimits.Name, _ fixture: ServerFixture) async throws -> UInt64 {
        let status = try await fixture.server.status()
        return status.limits.first { $0.name == name.rawValue }?.refusals ?? 0
    }

    private func used(_ name: ServerLimits.Name, _ fixture: ServerFixture) async throws -> Int {
        let status = try await fixture.server.status()
        return status.limits.first { $0.name == name.rawValue }?.used ?? -1
    }

    /// Bytes with which a plain client logs in, up to where frames of its own follow with number 1.
    static func login(_ user: UserName, _ network: NetworkName) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = bytes.withUnsafeMutableBytes { out -> Int in
            var at = SocketHandshake(network: network).encode(into: out)
            let message = Authentication(
                flags: [], user: user, number: 0, uniqueID: nil, network: network, password: PasswordText(),
                frameSize: 16_384)
            var payload = [UInt8](repeating: 0, count: 256)
            let length = payload.withUnsafeMutableBytes { message.encode(into: $0) }
            let header = FrameHeader(number: 0, flags: .system, blockID: 16_384, address: 0, dataSize: length)
            at += header.encode(into: UnsafeMutableRawBufferPointer(rebasing: out[at...]), layout: .socket)
            for index in 0..<length { out[at + index] = payload[index] }
            return at + length
        }
        return Array(bytes[..<count])
    }

    @Test func anOperatorHasSoManyConnections() async throws {
        let fixture = try await fixture([.operatorConnectionsPerAccount: 2])
        let sessions = [try await fixture.makeOperator(), try await fixture.makeOperator()]
        await #expect(throws: OperatorError.self) { _ = try await fixture.makeOperator() }
        #expect(
            await fixture.events.wait {
                if case .refused(_, let reason) = $0 {
                    reason == "root.cafenet has 2 connections, which is the limit operator_connections_per_account"
                } else {
                    false
                }
            })
        #expect(try await refusals(.operatorConnectionsPerAccount, fixture) == 1)
        // Another account is not concerned, and a place that was left can be taken.
        let other = try await fixture.makeOperator("watcher", "cafenet", password: "look")
        await sessions[0].close()
        #expect(await eventually { (try? await used(.operatorConnectionsPerAccount, fixture)) == 1 })
        let again = try await fixture.makeOperator()
        for session in [sessions[1], other, again] { await session.close() }
        await fixture.stop()
    }

    @Test func aDeviceThatComesAgainTakesItsOwnPlace() async throws {
        let fixture = try await fixture([.deviceConnectionsPerAccount: 1])
        let first = try await TestDevice("candy", 7, at: fixture)
        #expect(await fixture.events.wait { if case .deviceAppeared = $0 { true } else { false } })
        let second = try await TestDevice("candy", 7, at: fixture)
        let isReplaced = await eventually {
            fixture.events.all.contains {
                if case .closed(_, let reason) = $0 { reason.contains("again") } else { false }
            }
        }
        #expect(isReplaced)
        #expect(try await refusals(.deviceConnectionsPerAccount, fixture) == 0)
        await first.stop()
        await second.stop()
        await fixture.stop()
    }

    @Test func connectionsThatDoNotLogInAreFew() async throws {
        let fixture = try await fixture([.pendingConnectionsPerAddress: 3, .handshakeSeconds: 10])
        let session = try await fixture.makeOperator()
        let idle = [fixture.plain, fixture.tls, fixture.plain].compactMap { RawPeer(port: $0.port) }
        #expect(await eventually { (try? await used(.pendingConnectionsPerAddress, fixture)) == 3 })
        let tooMany = try #require(RawPeer(port: fixture.plain.port))
        #expect(await tooMany.isClosed(within: 30))
        #expect(try await refusals(.pendingConnectionsPerAddress, fixture) == 1)
        #expect(
            await fixture.events.wait {
                if case .problem(let text) = $0 { text.contains("pending_connections_per_address") } else { false }
            })
        // Who is logged in goes on, and the silent ones are gone when their time is over.
        #expect(try await ServerFixture.paths(session).count == 2)
        for peer in idle { #expect(await peer.isClosed(within: 30)) }
        #expect(try await refusals(.handshakeSeconds, fixture) == 3)
        #expect(await eventually { (try? await used(.pendingConnections, fixture)) == 0 })
        let late = try await fixture.makeOperator()
        await session.close()
        await late.close()
        await fixture.stop()
    }

    @Test func connectionsInAllAreCountedOverAllListeners() async throws {
        let fixture = try await fixture([.connections: 2])
        let peers = [fixture.plain, fixture.tls].compactMap { RawPeer(port: $0.port) }
        #expect(await eventually { (try? await used(.connections, fixture)) == 2 })
        let third = try #require(RawPeer(port: fixture.plain.port))
        #expect(await third.isClosed(within: 30))
        #expect(try await refusals(.connections, fixture) == 1)
        #expect(peers.count == 2)
        await fixture.stop()
    }

    @Test func aPeerThatFallsSilentIsDropped() async throws {
        let fixture = try await fixture([.idleSeconds: 11])
        let peer = try #require(RawPeer(port: fixture.plain.port))
        let start = ContinuousClock.now
        peer.send(Self.login("candy", "cafenet"))
        #expect(await fixture.events.wait { if case .login = $0 { true } else { false } })
        #expect(await peer.isClosed(within: 30))
        #expect(ContinuousClock.now - start > .seconds(9))
        #expect(try await refusals(.idleSeconds, fixture) == 1)
        await fixture.stop()
    }

    @Test func whoSendsTooManyMessagesIsReadFromMoreSlowly() async throws {
        let fixture = try await fixture([.messagesPerSecond: 100])
        let peer = try #require(RawPeer(port: fixture.plain.port))
        peer.send(Self.login("candy", "cafenet"))
        #expect(await fixture.events.wait { if case .login = $0 { true } else { false } })
        let before = try await fixture.server.status().messages
        let start = ContinuousClock.now
        // Acknowledges of nothing: the smallest message there is, all of them in one packet.
        peer.send((0..<350).flatMap { _ in [0xFF, 0, 0, 0] })
        let (server, isRead) = (fixture.server, before + 350)
        #expect(await eventually { (try? await server.status().messages) == isRead })
        let time = ContinuousClock.now - start
        #expect(time > .seconds(2), "\(time)")
        let status = try await fixture.server.status()
        #expect(status.pauses >= 3)
        // Nobody was disconnected.
        #expect(status.connections.roles["plain"] == 1)
        await fixture.stop()
    }

    @Test func aDeviceBringsSoManyBlocks() async throws {
        let fixture = try await fixture([.blocksPerDevice: 4])
        let device = try await TestDevice("candy", 7, at: fixture)
        #expect(
            await fixture.events.wait {
                if case .closed(_, let reason) = $0 { reason.contains("more than 4 blocks") } else { false }
            })
        #expect(try await refusals(.blocksPerDevice, fixture) > 0)
        await device.stop()
        await fixture.stop()
    }

    @Test func theStatusSaysWhoIsThere() async throws {
        let fixture = try await fixture([:])
        let session = try await fixture.makeOperator()
        let device = try await TestDevice("candy", 7, at: fixture)
        #expect(await fixture.events.wait { if case .deviceAppeared = $0 { true } else { false } })
        await #expect(throws: OperatorError.self) { _ = try await fixture.makeOperator(password: "wrong") }
        let server = fixture.server
        #expect(await eventually { (try? await server.status().logins.refused) == 1 })
        // Who was refused is gone a little later.
        #expect(await eventually { (try? await server.status().connections.all) == 2 })
        let status = try await server.status()
        #expect(status.devices == 1 && status.networks == ["cafenet", "asteroidnet"])
        #expect(status.connections.roles["admin"] == 1 && status.connections.roles["device"] == 1)
        #expect(status.connections.all == 2 && status.connections.pending == 0)
        #expect(status.logins.accepted == 2 && status.logins.waiting == 0)
        #expect(status.blocks >= 5 && status.blockBytes > 8_192 && status.residentBytes > 1 << 20)
        #expect(status.addresses.count == 2 && status.process == getpid())
        #expect(status.limits.map(\.name) == ServerLimits.Name.allCases.map(\.rawValue))
        await device.stop()
        await session.close()
        #expect(await eventually { (try? await server.status()).map { [$0.blocks, $0.blockBytes] } == [0, 0] })
        await fixture.stop()
    }
}
