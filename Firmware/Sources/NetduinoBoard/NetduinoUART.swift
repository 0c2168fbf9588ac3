import Machine
import SerialRing

/// USART1 of the STM32F405 (reference manual RM0090, chapter 30), interrupt 37, on pins PB6 and PB7.
///
/// What arrives goes to a ring by interrupt; a full ring turns the receive interrupt off until the program has read.
public enum NetduinoUART {
    private static var base: UInt { 0x4001_1000 }
    private static var status: UInt { base }
    private static var data: UInt { base + 0x04 }
    private static var rate: UInt { base + 0x08 }
    private static var control: UInt { base + 0x0C }

    // SR
    private static var overrun: UInt32 { 1 << 3 }
    private static var notEmpty: UInt32 { 1 << 5 }
    private static var transmitterEmpty: UInt32 { 1 << 7 }
    // CR1: UE, TE, RE
    private static var on: UInt32 { 1 << 13 | 1 << 3 | 1 << 2 }
    private static var onData: UInt32 { 1 << 5 }
    private static var onEmpty: UInt32 { 1 << 7 }

    nonisolated(unsafe) private static var received = SerialRing<512>()
    nonisolated(unsafe) private static var sending = SerialRing<256>()
    nonisolated(unsafe) private static var enabled: UInt32 = 0

    /// Sets 8 data bits, no parity, one stop bit and the given rate, and lets interrupts through.
    public static func start(baud: UInt32 = 115_200) {
        machine_store32(rate, (NetduinoClock.peripheral2 + baud / 2) / baud)
        enable(onData)
        // NVIC_ISER1: interrupt 37.
        machine_store32(0xE000_E104, 1 << (37 - 32))
    }

    private static func enable(_ interrupts: UInt32) {
        enabled = interrupts
        machine_store32(control, on | interrupts)
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

    private static func transmit() {
        while machine_load32(status) & transmitterEmpty != 0, let byte = sending.take() {
            machine_store32(data, UInt32(byte))
        }
        let wanted = enabled & ~onEmpty | (sending.count > 0 ? onEmpty : 0)
        if wanted != enabled { enable(wanted) }
    }

    static func interrupt() {
        while true {
            if received.room == 0 {
                enable(enabled & ~onData)
                break
            }
            let now = machine_load32(status)
            // Reading the data register takes the overrun back as well.
            guard now & (notEmpty | overrun) != 0 else { break }
            let byte = UInt8(truncatingIfNeeded: machine_load32(data))
            if now & notEmpty != 0 { received.put(byte) }
        }
        transmit()
    }
}

/// The interrupt of USART1.
@_cdecl("firmware_serial_interrupt")
public func serialInterrupt() { NetduinoUART.interrupt() }
