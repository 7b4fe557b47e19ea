/* The virtual devices. Each opener returns a new description, or NULL where there is no memory. */
#ifndef RT_LINUX_DEVICES_H
#define RT_LINUX_DEVICES_H

#include "file.h"

rt_file *rt_fb_open(int flags);
rt_file *rt_input_open(int flags);
rt_file *rt_dsp_open(int flags);

/* Reads RECOMP_RT_INPUT; a malformed line ends the process by rt_fail with its place. */
void rt_input_init(void);

/* Somebody plays: an event of a tick that has just begun, behind those of earlier ones; and the end of its events. */
void rt_input_play(uint64_t tick, uint16_t type, uint16_t code, int32_t value);
void rt_input_played(uint64_t tick);

#endif
