import BootInterface
public import CFIFlash
public import DeviceProgram
public import FirmwareDevice
import FirmwareStorage
public import IOCOM
import VirtBoard

/// The RISC-V board with its serial line and its flash.
public enum VirtDevice: DeviceBoard {
    /// See ``DeviceBoard``.
    public static func start() { VirtBoard.start() }
    /// See ``DeviceBoard``.
    public static var milliseconds: Int64 { VirtBoard.milliseconds }
    /// See ``DeviceBoard``.
    public static func read(into out: UnsafeMutableRawBufferPointer) -> Int { VirtUART.read(into: out) }
    /// See ``DeviceBoard``.
    public static func write(_ bytes: UnsafeRawBufferPointer) -> Int { VirtUART.write(bytes) }
    /// See ``DeviceBoard``.
    public static func idle() { VirtBoard.idle() }
    /// See ``DeviceBoard``.
    public static func feedWatchdog() { VirtBoard.feedWatchdog() }
    /// See ``DeviceBoard``.
    public static func reset() -> Never { VirtBoard.reset() }
    /// See ``DeviceBoard``.
    public static func giveUp() -> Never { VirtBoard.reset(.selfTest) }
    /// See ``DeviceBoard``.
    public static var flash: FirmwareFlash<CFIFlash> {
        FirmwareFlash(
            first: VirtBoard.slot(0), second: VirtBoard.slot(1), records: VirtBoard.records, blocks: VirtBoard.blocks)
    }
    /// See ``DeviceBoard``.
    public static var startedSlot: StartedSlot? {
        let report = VirtBoard.report
        return StartedSlot(Int(report.slot), isOnTrial: report.onTrial != 0)
    }
    /// See ``DeviceBoard``.
    public static var architecture: ShortText<7> { "riscv32" }
}
