/* The way to a layer's buffer queue. The binder's number is the layer's. */
#ifndef HZ_BINDER_H
#define HZ_BINDER_H

#include "../ipc/request.h"

extern const hz_interface hz_binder;

#endif
