/* From a command's number to its handler, and what happens where there is none. */
#ifndef HZ_CALL_H
#define HZ_CALL_H

#include "request.h"

/* Calls the command of `r`. What nobody implemented is counted for run.json, and answered as [stubs] says: an error
 * unless told otherwise. */
hz_result hz_call(hz_instance *instance, hz_request *r);

/* A service that nobody knows was asked for: the same. True = it is to be there, and answers nothing. */
bool hz_unknown_service(const char *name);

#endif
