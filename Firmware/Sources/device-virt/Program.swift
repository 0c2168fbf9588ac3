import DeviceProgram
import IOCOM
import VirtDevice

/// An IO device on the RISC-V board.
@main enum Program {
    static func main() {
        DeviceProgram<VirtDevice>.run(name: "blink", number: 1, network: "cafenet")
    }
}
