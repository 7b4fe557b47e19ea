/* A packer for the LZ4 block format (any LZ4 library unpacks it). One caller at a time. */
#ifndef RT_LZ4_H
#define RT_LZ4_H

#include <stddef.h>
#include <stdint.h>

/* Most bytes that `size` bytes can become. */
size_t rt_lz4_bound(size_t size);

/* Packs `size` < 2^31 bytes into a buffer of rt_lz4_bound(size) bytes; the packed size. */
size_t rt_lz4_pack(uint8_t *to, const uint8_t *from, size_t size);

#endif
