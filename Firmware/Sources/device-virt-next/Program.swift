import DeviceProgram
import IOCOM
import VirtDevice

/// What an update of the device brings: its counter goes ten times as fast.
@main enum Program {
    static func main() {
        DeviceProgram<VirtDevice>.run(name: "blink", number: 1, network: "cafenet", pace: 10)
    }
}
