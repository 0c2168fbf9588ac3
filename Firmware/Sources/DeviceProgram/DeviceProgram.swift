public import FirmwareDevice
public import FirmwareStorage
import FixedMemory
public import IOCOM

/// What an IO device needs of the board it runs on.
public protocol DeviceBoard {
    /// The kind of its flash.
    associatedtype Area: FlashArea
    /// Memory, clocks and serial line; called first.
    static func start()
    /// Milliseconds since the start, or since before it.
    static var milliseconds: Int64 { get }
    /// Takes what came on the serial line; gives how many bytes.
    static func read(into out: UnsafeMutableRawBufferPointer) -> Int
    /// Sends what there is room for; gives how many bytes.
    static func write(_ bytes: UnsafeRawBufferPointer) -> Int
    /// Sleeps until something comes, at most about 10 ms.
    static func idle()
    /// Says that the program is alive.
    static func feedWatchdog()
    /// Restarts the machine.
    static func reset() -> Never
    /// Restarts the machine because the program can't do its work.
    static func giveUp() -> Never
    /// Slots, records and persistent blocks.
    static var flash: FirmwareFlash<Area> { get }
    /// What the boot loader started; nil where there is none that says so.
    static var startedSlot: StartedSlot? { get }
    /// Processor, for `si_arch`.
    static var architecture: ShortText<7> { get }
}

/// An IO device on the serial line of a board.
public enum DeviceProgram<Board: DeviceBoard> {
    /// Runs it; `pace` is how far its counter goes in a second.
    public static func run(
        name: DeviceName, number: UInt32, network: NetworkName, pace: UInt64 = 1
    ) -> Never {
        Board.start()
        Board.feedWatchdog()
        var identity = FirmwareIdentity(
            name: name, number: number, network: network, architecture: Board.architecture)
        identity.pace = pace
        do throws(FirmwareProblem) {
            var device = try FirmwareDevice(
                identity, flash: Board.flash, started: Board.startedSlot, now: Board.milliseconds)
            serve(&device)
        } catch {
            Board.giveUp()
        }
        Board.reset()
    }

    /// Until the device wants the restart.
    private static func serve(_ device: inout FirmwareDevice<Board.Area>) {
        var input = InlineArray<128, UInt8>(repeating: 0)
        var output = InlineArray<128, UInt8>(repeating: 0)
        var produced = 0
        var sent = 0
        while true {
            Board.feedWatchdog()
            var room = input.mutableSpan
            let count = room.withUnsafeMutableBytes { Board.read(into: $0) }
            device.receive(input.span.bytes.extracting(0..<count), now: Board.milliseconds)
            device.heap = HeapUse(allocations: memoryUse.requests, bytes: memoryUse.inUse)
            if device.step(now: Board.milliseconds) == .restart { return }
            if sent == produced {
                var out = output.mutableSpan
                produced = out.withUnsafeMutableBytes { device.produce(into: $0, now: Board.milliseconds) }
                sent = 0
            }
            sent += output.span.withUnsafeBytes { Board.write(UnsafeRawBufferPointer(rebasing: $0[sent..<produced])) }
            // What did not fit is sent by interrupts, which end the sleep.
            if count == 0, produced == 0 || sent < produced { Board.idle() }
        }
    }
}
