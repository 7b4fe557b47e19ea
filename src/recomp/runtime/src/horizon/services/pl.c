/* pl: the console's fonts, which nobody here has: they never finish loading. */
#include "services.h"

#define PL_NOT_LOADED HZ_RESULT(145, 1)

static hz_result not_loaded(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  return PL_NOT_LOADED;
}

static const hz_command commands[] = {
    {0, "RequestLoad", not_loaded},
    {1, "GetLoadState", hz_zero32},
    {2, "GetSize", not_loaded},
    {3, "GetSharedMemoryAddressOffset", not_loaded},
    {4, "GetSharedMemoryNativeHandle", not_loaded},
    {5, "GetSharedFontInOrderOfPriority", not_loaded},
    {6, "GetSharedFontInOrderOfPriorityForSystem", not_loaded},
};
HZ_INTERFACE(hz_pl, "pl:u", commands, NULL);
