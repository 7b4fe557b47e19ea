/* Parcels: what Android's binder calls carry. */
#ifndef HZ_PARCEL_H
#define HZ_PARCEL_H

#include <stdbool.h>
#include <stdint.h>

#define HZ_PARCEL_SIZE 0x400u
#define HZ_PARCEL_HEADER 0x10u

/* Reading: what is behind the end is zeros, and makes `bad` true. */
typedef struct hz_parcel_in {
  const uint8_t *bytes;
  uint32_t size, at;
  bool bad;
} hz_parcel_in;

/* The payload of a parcel behind its interface token. */
hz_parcel_in hz_parcel_open(const uint8_t *bytes, uint64_t size);
uint32_t hz_parcel_get32(hz_parcel_in *in);
/* A flattened object: its bytes and size; NULL where the parcel is too short. */
const uint8_t *hz_parcel_get_object(hz_parcel_in *in, uint32_t *size);

typedef struct hz_parcel_out {
  uint8_t bytes[HZ_PARCEL_SIZE];
  uint32_t size; /* with the header */
} hz_parcel_out;

hz_parcel_out hz_parcel_new(void);
void hz_parcel_put32(hz_parcel_out *out, uint32_t value);
void hz_parcel_put(hz_parcel_out *out, const void *bytes, uint32_t size);
/* Writes the header; how many bytes the parcel has. */
uint32_t hz_parcel_finish(hz_parcel_out *out);

#endif
