/* The shared memory in which programs read pads and touch. */
#ifndef HZ_HID_MEMORY_H
#define HZ_HID_MEMORY_H

#include "../kernel/shared.h"

/* Styles of a pad. */
#define HZ_STYLE_FULL_KEY 1u
#define HZ_STYLE_HANDHELD 2u
#define HZ_STYLE_JOY_DUAL 4u
#define HZ_STYLE_JOY_LEFT 8u
#define HZ_STYLE_JOY_RIGHT 0x10u
#define HZ_STYLE_SYSTEM_EXT (1u << 29)

void hz_hid_init(void);
hz_shared *hz_hid_memory(void);

/* The styles that the program says it can read; the pad takes the first of full key, dual, handheld, left, right. */
void hz_hid_support(uint32_t styles);
uint32_t hz_hid_supported(void);

/* Writes one sample: the state of the tick that begins. */
void hz_hid_publish(uint64_t tick);

#endif
