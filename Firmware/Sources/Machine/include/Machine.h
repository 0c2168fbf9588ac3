// What Swift cannot say itself: single accesses to registers in an order that the compiler keeps, and the few instructions
// that have no name in Swift. Everything else of the firmware is Swift.
#ifndef MACHINE_H
#define MACHINE_H

#include <stddef.h>
#include <stdint.h>

static inline uint8_t machine_load8(uintptr_t address) { return *(volatile uint8_t *)address; }
static inline uint32_t machine_load32(uintptr_t address) { return *(volatile uint32_t *)address; }
static inline void machine_store8(uintptr_t address, uint8_t value) { *(volatile uint8_t *)address = value; }
static inline void machine_store32(uintptr_t address, uint32_t value) { *(volatile uint32_t *)address = value; }

/// Keeps memory accesses before it from moving behind it, and the other way round.
static inline void machine_barrier(void) { __asm__ volatile("" ::: "memory"); }

#if defined(__riscv)

// A program runs in supervisor mode; the interrupt bit is SIE of sstatus.
#define MACHINE_SSTATUS_SIE 2u

/// Turns interrupts off; gives what `machine_restore_interrupts` wants.
static inline uint32_t machine_disable_interrupts(void) {
    uint32_t before;
    __asm__ volatile("csrrci %0, sstatus, 2" : "=r"(before)::"memory");
    return before & MACHINE_SSTATUS_SIE;
}

static inline void machine_restore_interrupts(uint32_t before) {
    __asm__ volatile("csrs sstatus, %0" ::"r"(before) : "memory");
}

/// Lets the external interrupts of supervisor mode through.
static inline void machine_enable_external_interrupts(void) {
    __asm__ volatile("csrs sie, %0\n\tcsrsi sstatus, 2" ::"r"(1u << 9) : "memory");
}

/// Sleeps until an interrupt is pending, also one that is turned off.
static inline void machine_wait_for_interrupt(void) { __asm__ volatile("wfi" ::: "memory"); }

/// Ticks of the machine's clock since it was switched on.
static inline uint64_t machine_time(void) {
    uint32_t high, low, again;
    do {
        __asm__ volatile("rdtimeh %0\n\trdtime %1\n\trdtimeh %2" : "=r"(high), "=r"(low), "=r"(again));
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

/// Asks the boot loader for something; `function` is one of BootCall in Swift.
static inline uint32_t machine_boot_call(uint32_t function, uint32_t argument) {
    register uint32_t a0 __asm__("a0") = argument;
    register uint32_t a7 __asm__("a7") = function;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
    return a0;
}

// The boot loader runs in machine mode.
static inline void machine_set_protection(uint32_t entry, uint32_t address, uint8_t rules) {
    // The registers have no number that can be computed.
#define MACHINE_PMP(n) case n: __asm__ volatile("csrw pmpaddr" #n ", %0" ::"r"(address)); break;
    switch (entry) { MACHINE_PMP(0) MACHINE_PMP(1) MACHINE_PMP(2) MACHINE_PMP(3)
                     MACHINE_PMP(4) MACHINE_PMP(5) MACHINE_PMP(6) MACHINE_PMP(7) default: return; }
#undef MACHINE_PMP
    uint32_t shift = 8 * (entry & 3), mask = 0xFFu << shift, bits = (uint32_t)rules << shift;
    if (entry < 4) __asm__ volatile("csrc pmpcfg0, %0\n\tcsrs pmpcfg0, %1" ::"r"(mask), "r"(bits) : "memory");
    else __asm__ volatile("csrc pmpcfg1, %0\n\tcsrs pmpcfg1, %1" ::"r"(mask), "r"(bits) : "memory");
}

/// Lets machine timer interrupts through whenever the processor is not in machine mode.
static inline void machine_enable_tick(void) { __asm__ volatile("csrs mie, %0" ::"r"(1u << 7) : "memory"); }

/// The mode in which the trap came: 3 is machine mode (MPP of mstatus).
static inline uint32_t machine_trapped_mode(void) {
    uint32_t status;
    __asm__ volatile("csrr %0, mstatus" : "=r"(status));
    return status >> 11 & 3;
}

/// Where the trap handler goes back to.
static inline void machine_set_trap_place(uint32_t place) { __asm__ volatile("csrw mepc, %0" ::"r"(place) : "memory"); }

/// Sleeps until the tick; in machine mode.
static inline void machine_sleep_until_tick(void) { __asm__ volatile("wfi" ::: "memory"); }

/// Text to a debugger or the emulator, when there is one that listens (RISC-V semihosting, SYS_WRITE0); without one this
/// raises a breakpoint that the trap handler of the boot loader steps over.
static inline void machine_say(const uint8_t *text) {
    register uint32_t a0 __asm__("a0") = 4;
    register const uint8_t *a1 __asm__("a1") = text;
    __asm__ volatile(".option push\n\t.option norvc\n\t.balign 16\n\tslli x0, x0, 0x1f\n\tebreak\n\tsrai x0, x0, 7\n\t.option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
}

/// Starts a program in supervisor mode; never comes back. In StartVirtBoot.
void machine_start_program(uint32_t entry, uint32_t report);

#elif defined(__arm__)

/// Turns interrupts off; gives what `machine_restore_interrupts` wants.
static inline uint32_t machine_disable_interrupts(void) {
    uint32_t before;
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(before)::"memory");
    return before;
}

static inline void machine_restore_interrupts(uint32_t before) {
    __asm__ volatile("msr primask, %0" ::"r"(before) : "memory");
}

/// Sleeps until an interrupt is pending, also one that is turned off.
static inline void machine_wait_for_interrupt(void) { __asm__ volatile("dsb\n\twfi" ::: "memory"); }

/// Waits until all writes have arrived.
static inline void machine_synchronize(void) { __asm__ volatile("dsb\n\tisb" ::: "memory"); }

#endif

// Addresses that the linker script gives; Swift has no word for an object of unknown size.
static inline uintptr_t machine_arena_start(void) { extern uint8_t firmware_arena_start[]; return (uintptr_t)firmware_arena_start; }
static inline uintptr_t machine_arena_end(void) { extern uint8_t firmware_arena_end[]; return (uintptr_t)firmware_arena_end; }
static inline uintptr_t machine_stack_low(void) { extern uint8_t firmware_stack_low[]; return (uintptr_t)firmware_stack_low; }
static inline uintptr_t machine_stack_high(void) { extern uint8_t firmware_stack_high[]; return (uintptr_t)firmware_stack_high; }

#endif
