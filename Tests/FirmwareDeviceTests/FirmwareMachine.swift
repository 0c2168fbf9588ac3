import DeviceStorage
import FirmwareImages
import FirmwareStorage
import IOCOM
import IOCOMTestSupport
import Programs
import Testing
import UpdateTesting

@testable import FirmwareDevice

/// A machine with the flash of a board: what its boot loader does, and its firmware's device on a serial line to a server.
final class FirmwareMachine {
    static let sector = NORFlash.sectorSize
    static let slotSize = 4 * sector
    static let flashSize = 2 * sector + 2 * slotSize + 3 * sector
    static let target = ImageTarget(
        application: "blink", os: "riscv32", hardware: "virt", largest: UInt32(slotSize), loadAddress: 0x8020_0000)

    let flash: ObservedFlash
    private(set) var device: FirmwareDevice<FlashRegion>
    private(set) var server: End
    private(set) var now: Milliseconds = 0
    private(set) var starts = 0
    /// The server's bytes get lost while this is set.
    var lineIsCut = false
    private var line: [UInt8] = []

    static func image(_ version: String, hardware: String = "virt", data: Int = 3000) throws -> [UInt8] {
        var builder = MicrocontrollerImageBuilder(
            application: "blink", version: version, os: "riscv32", hardware: hardware, loadAddress: 0x8020_0000,
            program: [UInt8](repeating: 0xFF, count: 0x2A0))
        builder.program += (0..<data).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ version.utf8.count) }
        builder.program += Array(version.utf8)
        return try builder.build()
    }

    /// A board with this program from the factory.
    static func provisioned(_ program: [UInt8]) throws -> NORFlash {
        let flash = try NORFlash(size: flashSize)
        let areas = try areas(flash)
        try areas.slots.0.write(at: 0, program)
        var records = try SlotRecords(areas.records)
        let digest = try #require(areas.slots.0.imageDigest(for: target))
        try records.store(SlotChoice(first: SlotEntry(.valid, digest)))
        var log = try BlockLog(areas.blocks)
        try log.begin(2)
        try log.append(Array("network configuration".utf8).span.bytes)
        try log.commit()
        return flash
    }

    static func areas(_ flash: any FlashDevice) throws -> FirmwareFlash<FlashRegion> {
        FirmwareFlash(
            first: try FlashRegion(flash, offset: 2 * sector, size: slotSize),
            second: try FlashRegion(flash, offset: 2 * sector + slotSize, size: slotSize),
            records: try FlashRegion(flash, offset: 0, size: 2 * sector),
            blocks: try FlashRegion(flash, offset: 2 * sector + 2 * slotSize, size: 3 * sector))
    }

    /// What the boot loader does.
    static func boot(_ flash: any FlashDevice, cause: GoneBack = .noProof) throws -> SlotChoice.Plan {
        let areas = try areas(flash)
        var records = try SlotRecords(areas.records)
        let plan = try #require(
            records.choice.plan(cause: cause) { slot in
                (slot == 0 ? areas.slots.0 : areas.slots.1).imageDigest(for: target)
            })
        if plan.choice != records.choice { try records.store(plan.choice) }
        return plan
    }

    init(_ flash: NORFlash, selfTest: Bool = true) throws {
        self.flash = ObservedFlash(flash, pageSize: 256)
        device = try Self.start(self.flash, selfTest: selfTest, now: 0)
        server = Self.makeServer()
    }

    private static func makeServer() -> End {
        let server = End(.server(layout: .serial, bidirectional: false))
        server.createsBlocks = true
        return server
    }

    private static func start(
        _ flash: ObservedFlash, selfTest: Bool, now: Milliseconds, cause: GoneBack = .noProof
    ) throws -> FirmwareDevice<FlashRegion> {
        let plan = try boot(flash, cause: cause)
        return try device(flash, StartedSlot(plan.slot, isOnTrial: plan.isOnTrial), selfTest: selfTest, now: now)
    }

    private static func device(
        _ flash: ObservedFlash, _ started: StartedSlot, selfTest: Bool = true, now: Milliseconds
    ) throws -> FirmwareDevice<FlashRegion> {
        try FirmwareDevice(
            FirmwareIdentity(name: "blink", number: 1, network: "cafenet", architecture: "riscv32"),
            flash: try areas(flash), started: started, selfTest: selfTest, now: now)
    }

    /// The machine is reset.
    func reset(selfTest: Bool = true, cause: GoneBack = .noProof) throws {
        device = try Self.start(flash, selfTest: selfTest, now: now, cause: cause)
        starts += 1
    }

    /// A boot loader starts a slot without finding a place to write that down.
    func reset(into slot: Int) throws {
        device = try Self.device(flash, StartedSlot(slot, isOnTrial: false), now: now)
        starts += 1
    }

    /// One step of 10 ms. True when the device wants a reset.
    func step() throws -> Bool {
        now += 10
        let wish = device.step(now: now)
        var out = [UInt8](repeating: 0, count: 2048)
        let count = out.withUnsafeMutableBytes { device.produce(into: $0, now: now) }
        if !lineIsCut {
            do { try server.receive(out[..<count], now: now) } catch {
                server.machine.restart(holdingBlocks: true, now: now)
            }
        }
        do { _ = try server.tick(now: now) } catch { server.machine.restart(holdingBlocks: true, now: now) }
        let answer = server.produce(now: now, limit: 400)
        if !lineIsCut { device.receive(answer.span.bytes, now: now) }
        return wish == .restart
    }

    /// Steps until `condition` holds; resets the machine when it wants that.
    func run(_ seconds: Int = 30, selfTest: Bool = true, until condition: () -> Bool) throws {
        let end = now + Milliseconds(seconds * 1000)
        while !condition() {
            try #require(now < end, "did not happen within \(seconds) s")
            if try step() { try reset(selfTest: selfTest) }
        }
    }

    // MARK: What an operator sees

    func block(_ name: BlockName) -> MemoryBlock? { server.block(name) }

    private func exported(_ signal: DeviceSignal) -> String {
        guard let block = block("exp"), case .text(let address, let count) = signal,
            let place = Signal(.str, at: address, count: count)
        else { return "" }
        return place.text(in: block)
    }

    var version: String { exported(DeviceLayout.Exp.siPackage) }
    var error: String { exported(DeviceLayout.Exp.updError) }
    var previous: String { exported(DeviceLayout.Exp.updPrevious) }

    var phase: FirmwarePhase? {
        guard server.isRunning, let block = block("exp"), case .number(let address, _) = DeviceLayout.Exp.updState
        else { return nil }
        return FirmwarePhase(rawValue: block.byte(at: address + 1))
    }

    func set(_ signal: DeviceSignal, _ value: UInt64) throws {
        let block = try #require(self.block("imp"))
        signal.set(value, in: block)
        block.publish()
    }

    private func port(_ direction: StreamDirection) throws -> StreamPort {
        let streams = try StandardStreams(uploadRing: 1025, downloadRing: 257)
        return try StreamPort(
            controllerBlock: try #require(self.block("conf_imp")), deviceBlock: try #require(self.block("conf_exp")),
            addresses: direction == .upload ? streams.upload : streams.download)
    }

    /// Writes a persistent block; gives how it ended.
    func write(_ number: Int, _ bytes: [UInt8], whileWriting: (Int) -> Void = { _ in }) throws -> StreamStatus {
        let port = try port(.upload)
        var upload = try #require(UploadController(port: port, select: number))
        var offered = 0
        var result: UploadResult?
        let end = now + 600_000
        while result == nil {
            try #require(now < end, "the upload did not end")
            var isBusy = true
            while isBusy {
                switch upload.turn(now: now, connected: true) {
                case .wait, .busy: isBusy = false
                case .publishAndTurn:
                    port.controllerBlock.publish()
                    isBusy = false
                case .send:
                    let rest = bytes.span.bytes.extracting(offered..<bytes.count)
                    offered += upload.offer(rest, ended: true, maxChunk: 500, now: now)
                    whileWriting(offered)
                case .finished(let ended):
                    result = ended
                    isBusy = false
                }
            }
            port.controllerBlock.publish()
            if try step() { try reset() }
        }
        upload.close()
        port.controllerBlock.publish()
        guard result == .completed else {
            if case .refused(let status)? = result { return status }
            return .failed
        }
        var status = DelayedStatus(now: now, times: .forBlock(number))
        while true {
            switch status.turn(port, now: now) {
            case .wait: if try step() { try reset() }
            case .final(let status): return status
            case .unknown(let last), .connectionGone(let last): return last
            }
        }
    }

    /// Reads a persistent block; nil when the device refuses.
    func read(_ number: Int) throws -> [UInt8]? {
        let port = try port(.download)
        var download = try #require(DownloadController(port: port, select: number))
        var bytes: [UInt8] = []
        while true {
            switch download.turn(now: now, connected: true) {
            case .data:
                let count = download.takeReadable { span in span.withUnsafeBytes { bytes.append(contentsOf: $0) } }
                download.confirm(count, now: now)
                continue
            case .publishAndTurn: port.controllerBlock.publish()
            case .finished(let result):
                download.close()
                port.controllerBlock.publish()
                return result == .completed ? bytes : nil
            case .wait, .busy: break
            }
            port.controllerBlock.publish()
            _ = try step()
        }
    }
}
