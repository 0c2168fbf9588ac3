import DeviceDescription
import IOCOM
import Testing

@testable import Bricks

/// Both sides of a camera over the same two blocks.
@Suite("Cameras") struct CameraTests {
    private static func info(
        _ assembly: Assembly = StandardCamera.assembly, buffer: Int = 4096
    ) throws -> DeviceInfo {
        try DeviceInfo(name: "candy", blocks: try StandardCamera.blocks(buffer: buffer), assemblies: [assembly])
    }

    private static func port(buffer: Int = 4096) throws -> CameraPort {
        let info = try info(buffer: buffer)
        let signals = try CameraSignals("camera", in: info)
        let port = CameraPort(
            controllerBlock: block("dimp", 24), deviceBlock: block("dexp", 14 + buffer), signals: signals)
        return try #require(port)
    }

    private static func block(_ name: BlockName, _ size: Int) -> MemoryBlock {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        return MemoryBlock(
            path: BlockPath(block: name, device: DevicePath(name: "candy", number: 1, network: "cafenet")),
            flags: .up, memory: LentMemory(buffer, release: { $0.deallocate() }))
    }

    private static func brick(_ shade: UInt8) throws -> Brick {
        try Brick(width: 8, height: 8, timestamp: 7, data: [UInt8](repeating: shade, count: 192))
    }

    @Test("the signals lie where those of the original's candy lie") func layout() throws {
        let info = try DeviceInfo(
            name: "candy", blocks: try StandardCamera.blocks(), assemblies: [StandardCamera.assembly])
        let signals = try CameraSignals("camera", in: try DeviceInfo(packed: try info.packed()))
        #expect(signals.state == Signal(.ushort, at: 0))
        #expect(signals.checksum == Signal(.ushort, at: 5))
        #expect(signals.head == Signal(.int, at: 8))
        #expect(signals.buffer == Signal(.uchar, at: 13, count: 65_536))
        #expect(signals.command == Signal(.int, at: 0))
        #expect(info.block("dexp")?.size == 65_550)
        #expect(info.block("dimp")?.size == 24)
    }

    @Test("what is no camera is refused") func wrongDescriptions() throws {
        let info = try Self.info()
        #expect(throws: CameraSignalsError.noAssembly("other")) { try CameraSignals("other", in: info) }
        func wrong(_ kind: String, _ exported: String, _ imported: String) throws -> DeviceInfo {
            try Self.info(Assembly(name: "camera", kind: kind, exported: exported, imported: imported))
        }
        for (kind, exported, imported, error) in [
            ("cam_ring", "dexp.rec_", "dimp.rec_", CameraSignalsError.kind("cam_ring")),
            ("cam_flat", "dexp", "dimp.rec_", .path("dexp")), ("cam_flat", "dexp.rec_", ".rec_", .path(".rec_")),
            ("cam_flat", "dexp.see_", "dimp.rec_", .signal("see_state")),
            ("cam_flat", "dexp.rec_", "exp.rec_", .signal("rec_cmd")), ("cam_flat", "", "", .path("")),
        ] {
            let info = try wrong(kind, exported, imported)
            #expect(throws: error) { try CameraSignals("camera", in: info) }
        }
    }

    @Test("signals outside of their blocks make no camera") func smallBlocks() throws {
        let signals = try CameraSignals("camera", in: try Self.info())
        #expect(
            CameraPort(
                controllerBlock: Self.block("dimp", 24), deviceBlock: Self.block("dexp", 4108), signals: signals) == nil
        )
        #expect(
            CameraPort(
                controllerBlock: Self.block("dimp", 4), deviceBlock: Self.block("dexp", 4110), signals: signals) == nil)
    }

    @Test("one picture comes for each request, not more often than every half second") func exchange() throws {
        let port = try Self.port()
        port.initializeDevice()
        var sender = BrickSender(port: port)
        var receiver = BrickReceiver(port: port)
        #expect(sender.turn(now: 0) == .wait)
        #expect(receiver.turn(now: 0) == .wait)
        #expect(sender.turn(now: 10) == .make)
        #expect(sender.turn(now: 10) == .wait)
        #expect(sender.deliver(try Self.brick(1).encoded) == true)
        #expect(receiver.turn(now: 20) == .picture(try Self.brick(1)))
        #expect(receiver.turn(now: 20) == .wait)
        #expect(sender.turn(now: 30) == .wait)
        #expect(sender.deadline == 510)
        #expect(sender.turn(now: 509) == .wait)
        #expect(sender.turn(now: 510) == .make)
        #expect(sender.deliver(try Self.brick(2).encoded) == true)
        // Not asked for: no picture, however long it takes.
        #expect(sender.turn(now: 100_000) == .wait)
        #expect(sender.deadline == nil)
        #expect(receiver.turn(now: 100_000) == .picture(try Self.brick(2)))
        // It has asked for one more; when nobody takes that, no other follows.
        #expect(sender.turn(now: 100_010) == .make)
        #expect(sender.deliver(try Self.brick(3).encoded) == true)
        #expect(sender.turn(now: 200_000) == .wait)
        #expect(sender.deadline == nil)
    }

    @Test("what was asked for is delivered although one controller has enough, but not when the connection went")
    func withdrawal() throws {
        let port = try Self.port()
        port.initializeDevice()
        var sender = BrickSender(port: port)
        var receiver = BrickReceiver(port: port)
        _ = receiver.turn(now: 0)
        #expect(sender.turn(now: 0) == .make)
        port.setCommand(0)
        #expect(sender.turn(now: 1) == .wait)
        #expect(sender.deliver(try Self.brick(1).encoded) == true)
        #expect(sender.deliver(try Self.brick(1).encoded) == false)
        #expect(port.state == 1)
        #expect(sender.turn(now: 600) == .wait)
        _ = receiver.turn(now: 700)
        #expect(sender.turn(now: 700) == .make)
        // The connection goes while it is made.
        #expect(sender.turn(now: 701, connected: false) == .wait)
        #expect(sender.deliver(try Self.brick(2).encoded) == false)
        #expect(port.state == 1)
        #expect(receiver.turn(now: 702, connected: false) == .gone)
    }

    @Test("without a picture the next attempt comes after the interval") func noPicture() throws {
        let port = try Self.port()
        port.initializeDevice()
        var sender = BrickSender(port: port)
        var receiver = BrickReceiver(port: port)
        _ = receiver.turn(now: 0)
        #expect(sender.turn(now: 0) == .make)
        #expect(sender.deliver(nil) == false)
        #expect(sender.turn(now: 499) == .wait)
        #expect(sender.turn(now: 500) == .make)
        #expect(sender.deliver([UInt8](repeating: 1, count: 4097)) == false)
        #expect(sender.turn(now: 1000) == .make)
        #expect(sender.deliver(try Self.brick(3).encoded) == true)
    }

    @Test("who got nothing asks again after three seconds") func asksAgain() throws {
        let port = try Self.port()
        port.initializeDevice()
        var receiver = BrickReceiver(port: port)
        _ = receiver.turn(now: 0)
        #expect(port.command == 1)
        #expect(receiver.deadline == 3000)
        _ = receiver.turn(now: 2999)
        #expect(port.command == 1)
        _ = receiver.turn(now: 3000)
        #expect(port.command == 2)
    }

    @Test("a device that has not written its signals is not asked") func silentDevice() throws {
        let port = try Self.port()
        var receiver = BrickReceiver(port: port)
        #expect(receiver.turn(now: 0) == .wait)
        #expect(port.command == nil)
    }

    @Test("the picture that was there before is not shown") func oldPicture() throws {
        let port = try Self.port()
        port.initializeDevice()
        #expect(port.deliver(try Self.brick(1).encoded))
        var receiver = BrickReceiver(port: port)
        #expect(receiver.turn(now: 0) == .wait)
        #expect(port.deliver(try Self.brick(2).encoded))
        #expect(receiver.turn(now: 1) == .picture(try Self.brick(2)))
    }

    @Test("damaged pictures are reported and another one is asked for") func damage() throws {
        let port = try Self.port()
        port.initializeDevice()
        var receiver = BrickReceiver(port: port)
        _ = receiver.turn(now: 0)
        var bytes = try Self.brick(1).encoded
        bytes[30] ^= 1
        #expect(port.deliver(bytes))
        #expect(receiver.turn(now: 1) == .damaged(.checksum))
        #expect(port.command == 2)
        let head = try #require(Signal(.int, at: 8))
        let state = try #require(Signal(.ushort, at: 0))
        for (number, count) in [-1, 0, 23, 4097, Int64(Int32.max), Int64(Int32.min)].enumerated() {
            head.setStored(count, in: port.deviceBlock)
            state.setStored(Int64(100 + number), in: port.deviceBlock)
            #expect(
                receiver.turn(now: 2) == .damaged(.wrongSize(announced: Int(count), bytes: 4096)), "\(count) bytes")
        }
    }

    @Test("counters start again at 1") func counters() throws {
        let port = try Self.port()
        port.initializeDevice()
        let state = try #require(Signal(.ushort, at: 0))
        state.setStored(65_535, in: port.deviceBlock)
        #expect(port.deliver(try Self.brick(1).encoded))
        #expect(port.state == 1)
        #expect(port.nextCommand(after: Int64(Int32.max)) == 1)
        #expect(port.nextCommand(after: -5) == 1)
        #expect(port.nextCommand(after: 0) == 1)
    }
}
