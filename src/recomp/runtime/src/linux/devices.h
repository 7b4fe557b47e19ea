/* The virtual devices. Each opener returns a new description, or NULL where there is no memory. */
#ifndef RT_LINUX_DEVICES_H
#define RT_LINUX_DEVICES_H

#include "file.h"

rt_file *rt_fb_open(int flags);
rt_file *rt_input_open(int flags);
rt_file *rt_dsp_open(int flags);

#endif
