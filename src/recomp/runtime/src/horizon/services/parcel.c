#include "parcel.h"

#include <string.h>

hz_parcel_in hz_parcel_open(const uint8_t *bytes, uint64_t size) {
  uint32_t header[2] = {0, 0};
  hz_parcel_in in = {NULL, 0, 0, true};
  if (size >= HZ_PARCEL_HEADER) memcpy(header, bytes, sizeof header);
  if (size < HZ_PARCEL_HEADER || header[1] > size || header[0] > size - header[1]) return in;
  in = (hz_parcel_in){bytes + header[1], header[0], 0, false};
  hz_parcel_get32(&in);                               /* strict mode */
  const uint32_t characters = hz_parcel_get32(&in);   /* the interface's name, UTF-16 with its end */
  if (characters > in.size / 2) in.bad = true;
  else in.at += (characters * 2 + 2 + 3) & ~3u;
  return in;
}

uint32_t hz_parcel_get32(hz_parcel_in *in) {
  uint32_t value = 0;
  if (in->bad || in->at > in->size || in->size - in->at < 4) in->bad = true;
  else memcpy(&value, in->bytes + in->at, 4);
  in->at += 4;
  return value;
}

const uint8_t *hz_parcel_get_object(hz_parcel_in *in, uint32_t *size) {
  *size = hz_parcel_get32(in);
  hz_parcel_get32(in); /* descriptors: none */
  if (in->bad || *size > in->size - in->at) return NULL;
  const uint8_t *bytes = in->bytes + in->at;
  in->at += (*size + 3) & ~3u;
  return bytes;
}

hz_parcel_out hz_parcel_new(void) {
  hz_parcel_out out = {{0}, HZ_PARCEL_HEADER};
  return out;
}

void hz_parcel_put(hz_parcel_out *out, const void *bytes, uint32_t size) {
  if (size > HZ_PARCEL_SIZE - out->size) return;
  memcpy(out->bytes + out->size, bytes, size);
  out->size += (size + 3) & ~3u;
}

void hz_parcel_put32(hz_parcel_out *out, uint32_t value) { hz_parcel_put(out, &value, sizeof value); }

uint32_t hz_parcel_finish(hz_parcel_out *out) {
  const uint32_t header[4] = {out->size - HZ_PARCEL_HEADER, HZ_PARCEL_HEADER, 0, out->size};
  memcpy(out->bytes, header, sizeof header);
  return out->size;
}
