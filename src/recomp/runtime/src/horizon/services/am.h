/* The applet manager's objects beside its proxies. */
#ifndef HZ_AM_H
#define HZ_AM_H

#include "../ipc/request.h"

extern const hz_interface hz_am_state, hz_am_self, hz_am_functions;

#define HZ_APPLET_USER 1 /* the applet resource user id, which is never 0 */

#endif
