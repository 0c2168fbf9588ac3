import IOCOM
import IOCOMTransport
import IOOperator
import IOServer
import ServerData
import Testing

@Suite("Starting, stopping, hostile peers", .serialized) struct ServerLifeTests {
    @Test(.timeLimit(.minutes(2))) func itStopsQuicklyWithConnectionsOpenAndStartsAgain() async throws {
        let fixture = try await ServerFixture()
        let device = try await TestDevice("candy", 7, at: fixture)
        let session = try await fixture.makeOperator()
        await fixture.stop(keepingFolder: true)
        await device.stop()
        await session.close()
        let again = try await ServerFixture(reusing: fixture.folder)
        let back = try await again.makeOperator()
        await back.close()
        await again.stop()
    }

    @Test func aDataFolderServesOneProcessOnly() async throws {
        let fixture = try await ServerFixture()
        await #expect(throws: ServerStartError.self) { _ = try await ServerFixture(reusing: fixture.folder) }
        await fixture.stop()
    }

    @Test func anAddressInUseIsNamed() async throws {
        let fixture = try await ServerFixture()
        let other = try await ServerFixture()
        await other.stop(keepingFolder: true)
        let folder = try ServerFolder.open(at: other.folder)
        do {
            _ = try await Server.start(ServerConfiguration(folder: folder, listen: [fixture.tls], report: { _ in }))
            Issue.record("it started on a port that is in use")
        } catch {
            #expect("\(error)".contains("in use"))
        }
        ServerFixture.remove(other.folder)
        await fixture.stop()
    }

    @Test(.timeLimit(.minutes(10))) func hostilePeersDoNotDisturbOthers() async throws {
        let fixture = try await ServerFixture()
        let device = try await TestDevice("candy", 7, at: fixture)
        let session = try await fixture.makeOperator()
        let path = DevicePath(name: "candy", number: 7, network: "cafenet")
        _ = try await session.device(path, seconds: 10)

        var generator = SystemRandomNumberGenerator()
        let garbage = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let handshake: [UInt8] = [0x13]
        var peers: [RawPeer] = []
        for port in [fixture.tls.port, fixture.plain.port] {
            for bytes in [
                [], [0x12], [0x12, 200], garbage, handshake + [7, 0, 0], handshake + [0xFF, 0, 0], [0x16, 3, 1],
            ] {
                let peer = try #require(RawPeer(port: port))
                peer.send(bytes)
                peers.append(peer)
            }
        }
        // While all of them hang around, a transfer runs.
        let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(try await session.write(bytes, block: 14, of: path) == .completed)
        #expect(try await session.read(block: 14, of: path).bytes == bytes)
        #expect(
            await fixture.events.wait { if case .violation(nil, _, _) = $0 { true } else { false } })
        // Silent and half handshakes end by themselves: TLS and protocol time limits are 10 s.
        for (index, peer) in peers.enumerated() { #expect(await peer.isClosed(within: 30), "peer \(index)") }
        #expect(try await session.write([1], block: 14, of: path) == .completed)
        await device.stop()
        await session.close()
        await fixture.stop()
    }
}
