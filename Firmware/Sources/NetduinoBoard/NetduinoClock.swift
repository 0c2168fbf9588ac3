import Machine

/// Clocks of the board: 168 MHz from the internal oscillator, SysTick every 10 ms.
public enum NetduinoClock {
    /// Processor.
    static var processor: UInt32 { 168_000_000 }
    /// Second peripheral bus, of USART1.
    static var peripheral2: UInt32 { 84_000_000 }
    /// Milliseconds from one tick to the next.
    private static var period: UInt32 { 10 }
    /// SysTick counts the processor's clock divided by 8 (it has 24 bits).
    private static var perTick: UInt32 { processor / 8 / 1000 * period }
    private static var perMillisecond: UInt32 { processor / 8 / 1000 }

    nonisolated(unsafe) private static var ticks: Int64 = 0

    /// Sets the clocks and the pins, and starts the tick.
    static func start() {
        let rcc: UInt = 0x4002_3800
        // RM0090 3.5.1: five wait states at 168 MHz, instruction and data caches on.
        machine_store32(0x4002_3C00, 0x705)
        // RM0090 6.3.2: 16 MHz / 16 * 336 / 2; APB2 at half, APB1 at a quarter of it.
        machine_store32(rcc + 0x04, 16 | 336 << 6 | 7 << 24)
        machine_store32(rcc, machine_load32(rcc) | 1 << 24)
        // The emulator has no clock controller and says "not ready" for ever; it runs at 168 MHz anyway.
        _ = wait(for: 1 << 25, at: rcc)
        machine_store32(rcc + 0x08, 5 << 10 | 4 << 13 | 2)
        _ = wait(for: 2 << 2, at: rcc + 0x08)
        // Clocks of port B and of USART1; PB6 and PB7 are alternate function 7.
        machine_store32(rcc + 0x30, machine_load32(rcc + 0x30) | 1 << 1)
        machine_store32(rcc + 0x44, machine_load32(rcc + 0x44) | 1 << 4)
        let portB: UInt = 0x4002_0400
        machine_store32(portB, machine_load32(portB) & ~(0xF << 12) | 0xA << 12)
        machine_store32(portB + 0x20, machine_load32(portB + 0x20) & ~(0xFF << 24) | 0x77 << 24)

        machine_store32(0xE000_E014, perTick - 1)
        machine_store32(0xE000_E018, 0)
        machine_store32(0xE000_E010, 0b011)
    }

    private static func wait(for bits: UInt32, at address: UInt) -> Bool {
        for _ in 0..<10_000 where machine_load32(address) & bits == bits { return true }
        return false
    }

    /// Milliseconds since the start.
    public static var milliseconds: Int64 {
        let before = machine_disable_interrupts()
        defer { machine_restore_interrupts(before) }
        var passed = ticks
        var left = machine_load32(0xE000_E018)
        // A tick that waits because interrupts are off counts already (ICSR.PENDSTSET).
        if machine_load32(0xE000_ED04) & 1 << 26 != 0 {
            passed += 1
            left = machine_load32(0xE000_E018)
        }
        return passed * Int64(period) + Int64((perTick - 1 - min(left, perTick - 1)) / perMillisecond)
    }

    static func tick() { ticks += 1 }
}

/// The interrupt of SysTick.
@_cdecl("firmware_tick")
public func tick() { NetduinoClock.tick() }
