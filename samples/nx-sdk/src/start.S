/* The first 0x80 bytes of the image, where the NRO header lies; the module record; entry and return. */

    .section .text.nx_start, "ax"
    .globl nx_start
    .type nx_start, %function
nx_start:
    b begin                         /* 0x00: the header is jumped over */
    .word nx_module - nx_start      /* 0x04 */
    .space 0x78                     /* the writer of the file fills these */
    .size nx_start, . - nx_start

/* x0 = configuration and x1 = -1: a homebrew loader; x0 = 0 and x1 = main thread: a process of its own; else an
 * exception that nobody here handles. */
    .type begin, %function
begin:
    .cfi_startproc
    .cfi_undefined x30
    cmp x0, #0
    ccmn x1, #1, #4, ne
    b.ne unhandled
    mov x25, x0
    mov x26, x1
    mov x27, x30
    adrp x0, nx_start
    add x0, x0, :lo12:nx_start
    adrp x1, nx_module
    add x1, x1, :lo12:nx_module
    bl nx_relocate
    mov x0, x25
    mov x1, x26
    mov x2, x27
    mov x3, sp
    b nx_begin
unhandled:
    mov w0, #0xf801
    svc #0x28
    .cfi_endproc
    .size begin, . - begin

/* noreturn nx_return(w0 result, x1 stack pointer, x2 address): back to the loader as it called. */
    .section .text.nx_return, "ax"
    .globl nx_return
    .type nx_return, %function
nx_return:
    .cfi_startproc
    mov sp, x1
    br x2
    .cfi_endproc
    .size nx_return, . - nx_return

    .section .text.nx_thread_block, "ax"
    .globl nx_thread_block
    .type nx_thread_block, %function
nx_thread_block:
    .cfi_startproc
    mrs x0, tpidrro_el0
    ret
    .cfi_endproc
    .size nx_thread_block, . - nx_thread_block

/* The module record that word 1 of the image points to; offsets are relative to the record. */
    .section .rodata.nx_module, "a"
    .balign 8
    .word 0
    .word module_name_end - module_name
module_name:
    .ascii "nx-sdk"
module_name_end:
    .balign 8
    .globl nx_module
nx_module:
    .ascii "MOD0"
    .word _DYNAMIC - nx_module
    .word __bss_start - nx_module
    .word __bss_end - nx_module
    .word __eh_frame_hdr_start - nx_module
    .word __eh_frame_hdr_end - nx_module
    .word 0
