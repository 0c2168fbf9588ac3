// First instructions of the boot loader of the RISC-V board, which the emulator's reset vector jumps to in machine mode.
    .section .start, "ax"
    .globl firmware_start
firmware_start:
    csrr a0, mhartid
    bnez a0, 7f
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, firmware_stack_high
    la a3, boot_trap
    csrw mtvec, a3
    // Traps have a stack of their own, in the boot loader as in the program.
    la a3, firmware_trap_stack_high
    csrw mscratch, a3
    la a1, firmware_bss_start
    la a2, firmware_bss_end
3:  bgeu a1, a2, 4f
    sw zero, 0(a1)
    addi a1, a1, 4
    j 3b
4:  call main
7:  wfi
    j 7b

// void machine_start_program(uint32_t entry, uint32_t report)
    .section .text.machine_start_program, "ax"
    .globl machine_start_program
machine_start_program:
    csrw mepc, a0
    csrw satp, zero
    // Everything that goes wrong in the program comes to machine mode; only its external interrupts are its own.
    csrw medeleg, zero
    li t0, 1 << 9
    csrw mideleg, t0
    // The program may read the time and the cycle counters, and sleep.
    li t0, 7
    csrw mcounteren, t0
    li t0, 3 << 11
    csrc mstatus, t0
    li t0, (1 << 11) | (1 << 7)
    csrs mstatus, t0
    // Nothing of the boot loader is left in the registers.
    mv sp, zero
    mv gp, zero
    mv tp, zero
    mv ra, zero
    mv a0, zero
    fence.i
    mret

// Traps of the program and of the boot loader itself; mscratch is their stack. A trap inside of this is never survived.
    .section .text.boot_trap, "ax"
    .balign 4
boot_trap:
    csrrw sp, mscratch, sp
    addi sp, sp, -80
    sw ra, 0(sp)
    sw t0, 4(sp)
    sw t1, 8(sp)
    sw t2, 12(sp)
    sw t3, 16(sp)
    sw t4, 20(sp)
    sw t5, 24(sp)
    sw t6, 28(sp)
    sw a0, 32(sp)
    sw a1, 36(sp)
    sw a2, 40(sp)
    sw a3, 44(sp)
    sw a4, 48(sp)
    sw a5, 52(sp)
    sw a6, 56(sp)
    sw a7, 60(sp)
    sw gp, 64(sp)
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    // boot_trapped(cause, pc, value, a0, a7) -> a0 of the program
    mv a3, a0
    mv a4, a7
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    call boot_trapped
    sw a0, 32(sp)
    lw ra, 0(sp)
    lw t0, 4(sp)
    lw t1, 8(sp)
    lw t2, 12(sp)
    lw t3, 16(sp)
    lw t4, 20(sp)
    lw t5, 24(sp)
    lw t6, 28(sp)
    lw a0, 32(sp)
    lw a1, 36(sp)
    lw a2, 40(sp)
    lw a3, 44(sp)
    lw a4, 48(sp)
    lw a5, 52(sp)
    lw a6, 56(sp)
    lw a7, 60(sp)
    lw gp, 64(sp)
    addi sp, sp, 80
    csrrw sp, mscratch, sp
    mret
