import Machine

// What malloc and free of Machine/memory.c use: the arena that the linker script leaves. Never called by interrupts.

nonisolated(unsafe) private var memory = FixedMemory(start: 0, end: 0)

/// Gives the program its memory; the first thing it does.
public func startMemory() {
    memory = FixedMemory(start: machine_arena_start(), end: machine_arena_end())
}

/// What the program asked for up to now.
public var memoryUse: FixedMemory.Use { memory.use }

/// What `malloc` does.
@_cdecl("firmware_take")
public func take(_ size: UInt) -> UInt { memory.take(size) }

/// What `free` does; false when the block was not in use.
@_cdecl("firmware_give_back")
public func giveBack(_ address: UInt) -> Bool { memory.giveBack(address) }

/// Most bytes of the stack that were ever in use: up to the deepest place whose mark, written by the start-up code, is gone.
public var deepestStack: UInt {
    var address = machine_stack_low()
    while address < machine_stack_high(), machine_load32(address) == 0xA5A5_A5A5 { address += 4 }
    return machine_stack_high() - address
}
