import FirmwareStorage
import Hello
import NetduinoBoard

private enum Board: HelloBoard {
    static func read(into out: UnsafeMutableRawBufferPointer) -> Int { NetduinoUART.read(into: out) }
    static func write(_ bytes: UnsafeRawBufferPointer) -> Int { NetduinoUART.write(bytes) }
    static func idle() { NetduinoBoard.idle() }
    static func feedWatchdog() { NetduinoBoard.feedWatchdog() }
    static var milliseconds: Int64 { NetduinoClock.milliseconds }
    static func reset() -> Never { NetduinoBoard.reset() }
    static func confirm() {}
    static var blocks: MappedArea { NetduinoBoard.blocks }
    static var report: (UInt32, UInt32, UInt32, UInt32) { (0, 0, 0, 0) }
}

@main enum Program {
    static func main() {
        NetduinoBoard.start()
        var hello = Hello<Board>()
        hello.run()
    }
}
