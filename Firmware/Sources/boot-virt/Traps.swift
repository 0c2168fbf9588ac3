import BootInterface
import Machine

/// Text for a debugger, or for the emulator with semihosting turned on; the serial line belongs to the protocol.
enum Debugger {
    nonisolated(unsafe) static var isThere = true

    /// The text ends with a zero byte, as literals do.
    static func say(_ text: StaticString) {
        if isThere { machine_say(text.utf8Start) }
    }
}

/// Everything that brings the processor to machine mode; gives what the program finds in register a0.
@_cdecl("boot_trapped")
public func trapped(_ cause: UInt32, _ place: UInt32, _ value: UInt32, _ argument: UInt32, _ function: UInt32) -> UInt32
{
    if cause == 0x8000_0007 {
        Watchdog.tick()
        return argument
    }
    guard machine_trapped_mode() != 3 else {
        // A breakpoint of the boot loader is its text for a debugger that is not there.
        if cause == 3 {
            Debugger.isThere = false
            machine_set_trap_place(place &+ 4)
            return argument
        }
        // A boot loader that fails would fail again.
        while true { machine_sleep_until_tick() }
    }
    // Environment call of supervisor mode; anything else is a mistake of the program.
    guard cause == 9, let call = BootCall(rawValue: function) else {
        LastReset.restart(ResetCause.crash.rawValue, trap: cause, place: place, value: value)
    }
    switch call {
    case .feed: Watchdog.feed()
    case .reset: LastReset.restart(argument)
    }
    machine_set_trap_place(place &+ 4)
    return 0
}
