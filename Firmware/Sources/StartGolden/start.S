// First instructions of the program that checks recordings. It has the emulated RISC-V board for itself, without boot loader:
// QEMU puts it into RAM and jumps to its first byte in machine mode.
    .section .start, "ax"
    .globl firmware_start
firmware_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, firmware_stack_high
    la a1, firmware_bss_start
    la a2, firmware_bss_end
1:  bgeu a1, a2, 2f
    sw zero, 0(a1)
    addi a1, a1, 4
    j 1b
    // The floating point unit: Swift's hash tables compute with it.
2:  li a0, 0x6000
    csrs mstatus, a0
    la a0, golden_trap
    csrw mtvec, a0
    call golden_virt_main
3:  wfi
    j 3b

// A trap of the program: it says so on the serial line and switches the machine off, which ends the emulator.
    .balign 4
golden_trap:
    li a0, 0x10000000
    la a1, golden_trap_text
4:  lbu a2, 0(a1)
    beqz a2, 6f
5:  lbu a3, 5(a0)
    andi a3, a3, 0x20
    beqz a3, 5b
    sb a2, 0(a0)
    addi a1, a1, 1
    j 4b
6:  li a0, 0x100000
    li a1, 0x13333
    sw a1, 0(a0)
7:  j 7b

    .section .rodata.golden_trap_text, "a"
golden_trap_text:
    .asciz "trap\n"
