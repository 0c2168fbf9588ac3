// First instructions of a program on the RISC-V board. The boot loader has copied the image to RAM and jumps to its first
// byte in supervisor mode, with the address of the boot report in a1.
    .section .start, "ax"
    .globl firmware_start
firmware_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, firmware_stack_high
    mv s0, a1
    // Initial values of variables go to the RAM where they may be written; the image itself can't be.
    la a0, firmware_data_from
    la a1, firmware_data_start
    la a2, firmware_data_end
1:  bgeu a1, a2, 2f
    lw a3, 0(a0)
    sw a3, 0(a1)
    addi a0, a0, 4
    addi a1, a1, 4
    j 1b
2:  la a1, firmware_bss_start
    la a2, firmware_bss_end
3:  bgeu a1, a2, 4f
    sw zero, 0(a1)
    addi a1, a1, 4
    j 3b
    // The unused part of the stack carries a mark, so that the deepest use can be seen.
4:  la a1, firmware_stack_low
    li a3, 0xA5A5A5A5
5:  bgeu a1, sp, 6f
    sw a3, 0(a1)
    addi a1, a1, 4
    j 5b
6:  la a3, firmware_interrupt
    csrw stvec, a3
    mv a0, s0
    call main
7:  wfi
    j 7b

// Only external interrupts arrive here; everything else a program can raise belongs to the boot loader.
    .section .text.firmware_interrupt, "ax"
    .balign 4
firmware_interrupt:
    addi sp, sp, -64
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
    call firmware_external_interrupt
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
    addi sp, sp, 64
    sret
