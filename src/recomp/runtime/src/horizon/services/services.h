/* Every service: a table of commands each, one file a family. */
#ifndef HZ_SERVICES_H
#define HZ_SERVICES_H

#include "../ipc/request.h"

/* The object behind a named port (only "sm:"), or NULL. */
hz_instance *hz_named_port(const char *name);

/* Once, at the start. */
void hz_services_init(void);

#define HZ_SERVICE_ROW(name, interface, number) extern const hz_interface interface;
#include "list.h"
#undef HZ_SERVICE_ROW

#endif
