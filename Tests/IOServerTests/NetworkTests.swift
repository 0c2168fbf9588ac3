import IOCOM
import IOOperator
import IOServer
import ServerData
import Testing

@Suite("Devices and networks", .serialized) struct NetworkTests {
    private static let candy7 = DevicePath(name: "candy", number: 7, network: "cafenet")

    @Test func anOperatorWritesAndReadsABlockOfADeviceThroughTheServer() async throws {
        let fixture = try await ServerFixture()
        let device = try await TestDevice("candy", 7, at: fixture)
        let session = try await fixture.makeOperator()
        _ = try await session.device(Self.candy7, seconds: 10)
        for count in [1, 4095, 4096, 4097, 50_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            #expect(try await session.write(bytes, block: 14, of: Self.candy7) == .completed)
            let (back, status) = try await session.read(block: 14, of: Self.candy7)
            #expect(status == .completed)
            #expect(back == bytes)
        }
        await device.stop()
        #expect(await eventually { (try? await ServerFixture.paths(session).contains("candy7.cafenet")) == false })
        await session.close()
        await fixture.stop()
    }

    @Test func aDeviceOfOneNetworkIsInvisibleInAnother() async throws {
        let fixture = try await ServerFixture()
        let session = try await fixture.makeOperator()
        let asteroid = try await fixture.makeOperator("root", "asteroidnet")
        let device = try await TestDevice("candy", 7, "asteroidnet", at: fixture)
        _ = try await asteroid.device(DevicePath(name: "candy", number: 7, network: "asteroidnet"), seconds: 10)
        let cafe = try await TestDevice("candy", 8, at: fixture)
        _ = try await session.device(DevicePath(name: "candy", number: 8, network: "cafenet"), seconds: 10)
        #expect(try await ServerFixture.paths(session) == ["accounts1.cafenet", "candy8.cafenet", "frank1.cafenet"])
        #expect(try await ServerFixture.paths(asteroid) == ["accounts2.asteroidnet", "candy7.asteroidnet"])
        for peer in [device, cafe] { await peer.stop() }
        for peer in [session, asteroid] { await peer.close() }
        await fixture.stop()
    }

    @Test func anotherAccountCannotTakeADevicesPlace() async throws {
        let fixture = try await ServerFixture()
        let device = try await TestDevice("candy", 7, at: fixture)
        let session = try await fixture.makeOperator()
        _ = try await session.device(Self.candy7, seconds: 10)
        // The thief knows no password of candy, and under its own name it brings nothing but itself.
        let thief = try await TestDevice("candy", 7, at: fixture, password: "other")
        #expect(
            await fixture.events.wait {
                if case .refused(let who, _) = $0 { who.user == "candy7.cafenet" } else { false }
            })
        #expect(try await session.write([1, 2, 3], block: 14, of: Self.candy7) == .completed)
        await thief.stop()
        await device.stop()
        await session.close()
        await fixture.stop()
    }

    @Test func aPlainConnectionCannotTakeADeviceThatAnotherBrought() async throws {
        let fixture = try await ServerFixture()
        let device = try await TestDevice("candy", 7, at: fixture)
        let session = try await fixture.makeOperator()
        _ = try await session.device(Self.candy7, seconds: 10)
        let plain = try await TestDevice("candy", 7, at: fixture, password: nil)
        #expect(
            await fixture.events.wait {
                if case .deviceIgnored(let path, _, _) = $0 { path == Self.candy7 } else { false }
            })
        #expect(try await session.write([9], block: 14, of: Self.candy7) == .completed)
        await plain.stop()
        await device.stop()
        await session.close()
        await fixture.stop()
    }

    @Test func nobodyBringsADeviceOfTheServerItself() async throws {
        let fixture = try await ServerFixture()
        let path = DevicePath(name: "frank", number: 1, network: "cafenet")
        let liar = try await TestDevice("frank", 1, at: fixture, password: nil)
        #expect(await fixture.events.wait { if case .deviceIgnored(path, _, _) = $0 { true } else { false } })
        await liar.stop()
        await fixture.stop()
    }

    @Test func aDeviceThatConnectsAgainReplacesItsOldConnection() async throws {
        let fixture = try await ServerFixture()
        let first = try await TestDevice("candy", 7, at: fixture)
        let session = try await fixture.makeOperator()
        _ = try await session.device(Self.candy7, seconds: 10)
        let second = try await TestDevice("candy", 7, at: fixture)
        #expect(
            await fixture.events.wait {
                if case .deviceLeft(_, let reason) = $0 { reason.contains("connected again") } else { false }
            })
        await first.stop()
        _ = try await session.device(Self.candy7, seconds: 10)
        await second.stop()
        await session.close()
        await fixture.stop()
    }

    @Test func anAutomaticNumberIsRememberedAcrossRestartsOfDeviceAndServer() async throws {
        let fixture = try await ServerFixture()
        let id = (1...12).map { UInt8($0) }
        let first = try await TestDevice("candy", AutomaticNumber.request, at: fixture, uniqueID: id)
        #expect(await fixture.events.wait { Self.appeared($0) == 9001 })
        let other = try await TestDevice("candy", AutomaticNumber.request, at: fixture, uniqueID: id.reversed())
        #expect(await fixture.events.wait { Self.appeared($0) == 9002 })
        await first.stop()
        await other.stop()
        await fixture.stop(keepingFolder: true)

        let again = try await ServerFixture(reusing: fixture.folder)
        let late = try await TestDevice("candy", AutomaticNumber.request, at: again, uniqueID: id.reversed())
        #expect(await again.events.wait { Self.appeared($0) != nil })
        #expect(again.events.all.compactMap(Self.appeared) == [9002])
        await late.stop()
        await again.stop()
    }

    private static func appeared(_ event: ServerEvent) -> UInt32? {
        if case .deviceAppeared(let path, _) = event { return path.number }
        return nil
    }
}
