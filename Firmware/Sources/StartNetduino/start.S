// Vector table and first instructions of a program on the STM32F405 board.
    .syntax unified
    .cpu cortex-m4
    .thumb
    .section .start, "a"
    .globl firmware_vectors
firmware_vectors:
    .word firmware_stack_high
    .word firmware_start
    .word firmware_fault        // NMI
    .word firmware_fault        // HardFault
    .word firmware_fault        // MemManage
    .word firmware_fault        // BusFault
    .word firmware_fault        // UsageFault
    .rept 4
    .word 0
    .endr
    .word firmware_fault        // SVCall
    .word firmware_fault        // DebugMonitor
    .word 0
    .word firmware_fault        // PendSV
    .word firmware_tick         // SysTick
    .rept 37
    .word firmware_fault
    .endr
    .word firmware_serial_interrupt // USART1, number 37
    .rept 44
    .word firmware_fault
    .endr

    .section .text.firmware_start, "ax"
    .thumb_func
    .globl firmware_start
firmware_start:
    // Initial values of variables.
    ldr r0, =firmware_data_from
    ldr r1, =firmware_data_start
    ldr r2, =firmware_data_end
1:  cmp r1, r2
    bhs 2f
    ldr r3, [r0], #4
    str r3, [r1], #4
    b 1b
2:  ldr r1, =firmware_bss_start
    ldr r2, =firmware_bss_end
    movs r3, #0
3:  cmp r1, r2
    bhs 4f
    str r3, [r1], #4
    b 3b
    // The unused part of the stack carries a mark, so that the deepest use can be seen.
4:  ldr r1, =firmware_stack_low
    mov r2, sp
    ldr r3, =0xA5A5A5A5
5:  cmp r1, r2
    bhs 6f
    str r3, [r1], #4
    b 5b
    // The floating point unit may be used: full access to coprocessors 10 and 11 in CPACR.
6:  ldr r1, =0xE000ED88
    ldr r0, [r1]
    orr r0, r0, #(0xF << 20)
    str r0, [r1]
    dsb
    isb
    movs r0, #0
    bl main
7:  wfi
    b 7b

// Anything the processor does not allow: restart.
    .section .text.firmware_fault, "ax"
    .thumb_func
    .globl firmware_fault
firmware_fault:
    ldr r1, =0xE000ED0C
    ldr r0, =0x05FA0004
    dsb
    str r0, [r1]
    dsb
8:  b 8b
