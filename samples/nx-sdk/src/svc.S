/* Supervisor calls: nx_svc_NN(uint64_t x[8]) loads x0-x7 from the array, calls, and stores what came back. */

.macro supervisor_call number
    .section .text.nx_svc_\number, "ax"
    .globl nx_svc_\number
    .type nx_svc_\number, %function
nx_svc_\number:
    .cfi_startproc
    str x0, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    mov x9, x0
    ldp x0, x1, [x9]
    ldp x2, x3, [x9, #16]
    ldp x4, x5, [x9, #32]
    ldp x6, x7, [x9, #48]
    svc #0x\number
    ldr x9, [sp], #16
    .cfi_adjust_cfa_offset -16
    stp x0, x1, [x9]
    stp x2, x3, [x9, #16]
    stp x4, x5, [x9, #32]
    stp x6, x7, [x9, #48]
    ret
    .cfi_endproc
    .size nx_svc_\number, . - nx_svc_\number
.endm

.irp number, 01, 02, 03, 04, 05, 06, 07, 08, 09, 0A, 0B, 0C, 0D, 0E, 0F, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 1A, 1B, 1C, 1D, 1E, 1F, 21, 22, 24, 25, 26, 27, 29, 34, 35, 45, 50
    supervisor_call \number
.endr
