import Machine
import SerialRing

/// The serial line of the board: a 16550 with FIFOs of 16 bytes, at address 0x1000_0000, interrupt 10 of the PLIC.
///
/// What arrives goes to a ring by interrupt. A full ring turns the receive interrupt off until the program has read; the
/// line then holds the sender back (in the emulator) or loses bytes, which the protocol notices and repairs.
public enum VirtUART {
    private static var base: UInt { 0x1000_0000 }
    /// Receive buffer and transmit holding register; the interrupt enable, FIFO control, line control and line status
    /// registers (National Semiconductor PC16550D, 8.0).
    private static var data: UInt { base }
    private static var interruptEnable: UInt { base + 1 }
    private static var fifoControl: UInt { base + 2 }
    private static var lineControl: UInt { base + 3 }
    private static var modemControl: UInt { base + 4 }
    private static var lineStatus: UInt { base + 5 }

    private static var onData: UInt8 { 1 }
    private static var onEmpty: UInt8 { 2 }
    private static var dataReady: UInt8 { 1 }
    private static var transmitterEmpty: UInt8 { 0x20 }

    nonisolated(unsafe) private static var received = SerialRing<512>()
    nonisolated(unsafe) private static var sending = SerialRing<256>()
    nonisolated(unsafe) private static var enabled: UInt8 = 0

    /// Sets 8 data bits, no parity, one stop bit and the given rate, and lets interrupts through.
    public static func start(baud: UInt32 = 115_200) {
        // The board's device tree gives a clock of 3.6864 MHz.
        let divisor = 3_686_400 / (16 * baud)
        machine_store8(interruptEnable, 0)
        machine_store8(lineControl, 0x83)
        machine_store8(data, UInt8(truncatingIfNeeded: divisor))
        machine_store8(interruptEnable, UInt8(truncatingIfNeeded: divisor >> 8))
        machine_store8(lineControl, 0x03)
        // FIFOs on and cleared, interrupt at 8 bytes or when the line pauses.
        machine_store8(fifoControl, 0x87)
        machine_store8(modemControl, 0x0B)
        enable(onData)
        PlatformInterrupts.start(serial: 10)
    }

    private static func enable(_ interrupts: UInt8) {
        enabled = interrupts
        machine_store8(interruptEnable, interrupts)
    }

    /// Takes what arrived, as much as fits; gives how many bytes.
    public static func read(into out: UnsafeMutableRawBufferPointer) -> Int {
        let before = machine_disable_interrupts()
        defer { machine_restore_interrupts(before) }
        let count = received.take(into: out)
        if enabled & onData == 0 { enable(enabled | onData) }
        return count
    }

    /// Sends bytes, as many as there is room for; gives how many. Returns at once.
    public static func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        let before = machine_disable_interrupts()
        defer { machine_restore_interrupts(before) }
        let count = sending.put(bytes)
        transmit()
        return count
    }

    /// True when something is there to read.
    public static var hasInput: Bool {
        let before = machine_disable_interrupts()
        defer { machine_restore_interrupts(before) }
        return received.count > 0
    }

    /// Fills the transmitter's FIFO; what is left waits for the interrupt that says it is empty.
    private static func transmit() {
        while sending.count > 0, machine_load8(lineStatus) & transmitterEmpty != 0 {
            for _ in 0..<16 {
                guard let byte = sending.take() else { break }
                machine_store8(data, byte)
            }
        }
        let wanted = enabled & ~onEmpty | (sending.count > 0 ? onEmpty : 0)
        if wanted != enabled { enable(wanted) }
    }

    /// What the interrupt does.
    static func interrupt() {
        while true {
            if received.room == 0 {
                enable(enabled & ~onData)
                break
            }
            guard machine_load8(lineStatus) & dataReady != 0 else { break }
            received.put(machine_load8(data))
        }
        transmit()
    }
}
