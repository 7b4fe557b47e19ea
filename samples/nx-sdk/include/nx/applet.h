/* The program's place among the system's programs: focus, messages, and its right to a layer on the display. */
#ifndef NX_APPLET_H
#define NX_APPLET_H

#include "ipc.h"

enum nx_applet_message { NX_MESSAGE_EXIT = 4, NX_MESSAGE_FOCUS = 15, NX_MESSAGE_RESUME = 16, NX_MESSAGE_MODE = 30 };

nx_result nx_applet_open(void);
void nx_applet_close(void);

/* Reads all waiting messages; false once the system asked the program to end. */
bool nx_applet_loop(void);

uint64_t nx_applet_user(void);
bool nx_applet_docked(void);
nx_result nx_applet_create_layer(uint64_t *layer);

#endif
