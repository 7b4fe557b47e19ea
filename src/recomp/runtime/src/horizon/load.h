/* The loader: the program's memory, its configuration and its first thread, as a homebrew loader leaves them. */
#ifndef HZ_LOAD_H
#define HZ_LOAD_H

#include "rt.h"

void hz_load_init(void);
void hz_load_registers(rt_cpu *c);

#endif
