#include "services.h"
static const hz_command commands[] = {{3, "x", hz_success}};
HZ_INTERFACE(hz_audren, "audren:u", commands, NULL);
