import BootInterface
import CFIFlash
import FirmwareStorage
import Hello
import VirtBoard

private enum Board: HelloBoard {
    static func read(into out: UnsafeMutableRawBufferPointer) -> Int { VirtUART.read(into: out) }
    static func write(_ bytes: UnsafeRawBufferPointer) -> Int { VirtUART.write(bytes) }
    static func idle() { VirtBoard.idle() }
    static func feedWatchdog() { VirtBoard.feedWatchdog() }
    static var milliseconds: Int64 { VirtBoard.milliseconds }
    static func reset() -> Never { VirtBoard.reset() }
    static func confirm() {
        do throws(FlashFault) {
            var records = try SlotRecords(VirtBoard.records)
            var choice = records.choice
            choice.confirm()
            try records.store(choice)
        } catch { VirtBoard.reset(.selfTest) }
    }
    static var blocks: CFIFlash { VirtBoard.blocks }
    static var report: (UInt32, UInt32, UInt32, UInt32) {
        let report = VirtBoard.report
        return (report.slot, report.onTrial, report.cause, report.starts)
    }
}

@main enum Program {
    static func main() {
        VirtBoard.start()
        var hello = Hello<Board>()
        hello.run()
    }
}
