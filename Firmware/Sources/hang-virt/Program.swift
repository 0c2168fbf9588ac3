import Machine
import VirtBoard

// A program that hangs at its start, for tests of the boot loader: it lives, and does nothing more.
@main enum Program {
    static func main() {
        VirtBoard.start()
        while true { machine_barrier() }
    }
}
