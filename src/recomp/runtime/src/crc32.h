#ifndef RT_CRC32_H
#define RT_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of ISO 3309 (as in zlib, PNG and gzip) over more bytes, from the sum so far; 0 at the start. */
uint32_t rt_crc32(uint32_t sum, const void *bytes, size_t size);

#endif
