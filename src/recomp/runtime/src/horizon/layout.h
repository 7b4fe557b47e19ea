/* Where things are in the guest's 4 GiB, all of which the program learns by GetInfo or its configuration. */
#ifndef HZ_LAYOUT_H
#define HZ_LAYOUT_H

#include <stdint.h>

/* Outside of every region that a program chooses addresses in. */
#define HZ_TLS_BASE 0x01000000u    /* thread blocks of 0x200 bytes, eight a page; the first place of a page stays free */
#define HZ_TLS_SIZE 0x00040000u
#define HZ_CONFIG_BASE 0x02000000u /* configuration entries and the strings they point to */
#define HZ_CONFIG_SIZE 0x00004000u
#define HZ_RETURN_PC 0x03000000u   /* where the program returns to; nothing is mapped there */

#define HZ_ASLR_BASE 0x08000000u
#define HZ_ASLR_SIZE 0xf8000000u
#define HZ_HEAP_BASE 0x40000000u
#define HZ_HEAP_SIZE 0x40000000u
#define HZ_ALIAS_BASE 0x80000000u
#define HZ_ALIAS_SIZE 0x20000000u
#define HZ_STACK_BASE 0xa0000000u
#define HZ_STACK_SIZE 0x20000000u

#define HZ_MAIN_STACK 0xa0100000u
#define HZ_MAIN_STACK_SIZE 0x00100000u
#define HZ_OVERRIDE_HEAP_SIZE 0x20000000u /* what the loader gives the program */
#define HZ_TOTAL_MEMORY 0xcd500000ull     /* what GetInfo says there is: a console's application pool */
#define HZ_LOADER_MEMORY 0x02000000ull    /* of that is used by the program itself */

#endif
