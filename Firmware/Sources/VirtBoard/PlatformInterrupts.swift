import Machine

/// The platform-level interrupt controller (RISC-V PLIC specification 1.0.0), as the board has it at 0x0C00_0000; the
/// program's context is number 1, supervisor mode of processor 0.
enum PlatformInterrupts {
    private static var base: UInt { 0x0C00_0000 }
    private static var enable: UInt { base + 0x2080 }
    private static var threshold: UInt { base + 0x20_1000 }
    private static var claim: UInt { base + 0x20_1004 }

    /// Lets the interrupt of the serial line, and no other, through.
    static func start(serial: UInt32) {
        machine_store32(base + 4 * UInt(serial), 1)
        machine_store32(enable, 1 << serial)
        machine_store32(enable + 4, 0)
        machine_store32(threshold, 0)
        machine_enable_external_interrupts()
    }

    /// Serves what is waiting.
    static func serve() {
        while true {
            let source = machine_load32(claim)
            guard source != 0 else { return }
            VirtUART.interrupt()
            machine_store32(claim, source)
        }
    }
}

/// Called by the start-up code.
@_cdecl("firmware_external_interrupt")
public func externalInterrupt() { PlatformInterrupts.serve() }
