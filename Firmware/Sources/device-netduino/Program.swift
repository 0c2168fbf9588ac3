import DeviceProgram
import FirmwareDevice
import FirmwareStorage
import IOCOM
import NetduinoBoard

/// The STM32F405 board with its serial line.
private enum Board: DeviceBoard {
    static func start() { NetduinoBoard.start() }
    static var milliseconds: Int64 { NetduinoClock.milliseconds }
    static func read(into out: UnsafeMutableRawBufferPointer) -> Int { NetduinoUART.read(into: out) }
    static func write(_ bytes: UnsafeRawBufferPointer) -> Int { NetduinoUART.write(bytes) }
    static func idle() { NetduinoBoard.idle() }
    static func feedWatchdog() { NetduinoBoard.feedWatchdog() }
    static func reset() -> Never { NetduinoBoard.reset() }
    static func giveUp() -> Never { NetduinoBoard.reset() }
    static var flash: FirmwareFlash<MappedArea> {
        FirmwareFlash(
            first: NetduinoBoard.program, second: NetduinoBoard.otherProgram, records: NetduinoBoard.records,
            blocks: NetduinoBoard.blocks)
    }
    static var startedSlot: StartedSlot? { nil }
    static var architecture: ShortText<7> { "armv7em" }
}

@main enum Program {
    static func main() {
        DeviceProgram<Board>.run(name: "blink", number: 1, network: "cafenet")
    }
}
