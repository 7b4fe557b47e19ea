#include "message.h"

#include <string.h>

typedef struct reader {
  const uint8_t *bytes;
  uint32_t at;
  bool bad;
} reader;

static uint32_t word(reader *in) {
  uint32_t value = 0;
  if (in->at + 4 > HZ_MESSAGE_SIZE) in->bad = true;
  else memcpy(&value, in->bytes + in->at, 4);
  in->at += 4;
  return value;
}

static void read_handles(reader *in, hz_request *r) {
  const uint32_t header = word(in), count = (header >> 1 & 15) + (header >> 5 & 15);
  r->has_pid = header & 1;
  if (r->has_pid) in->at += 8; /* the kernel's to fill in */
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t handle = word(in);
    if (r->handle_count < HZ_HANDLES) r->handles[r->handle_count++] = handle;
  }
}

static hz_buffer read_pointer(reader *in) {
  const uint32_t w0 = word(in), w1 = word(in);
  return (hz_buffer){w1 | (uint64_t)(w0 >> 12 & 15) << 32 | (uint64_t)(w0 >> 6 & 63) << 36, w0 >> 16};
}

static hz_buffer read_mapped(reader *in) {
  const uint32_t size = word(in), addr = word(in), high = word(in);
  return (hz_buffer){addr | (uint64_t)(high >> 28) << 32 | (uint64_t)(high >> 2 & 0x3fffff) << 36,
                     size | (uint64_t)(high >> 24 & 15) << 32};
}

static hz_buffer read_receive(reader *in) {
  const uint32_t w0 = word(in), w1 = word(in);
  return (hz_buffer){w0 | (uint64_t)(w1 & 0xffff) << 32, w1 >> 16};
}

/* An auto-select buffer comes in both forms, one of which is null. What has no partner stands for itself. */
static uint32_t merge(hz_buffer *to, const hz_buffer *a, uint32_t a_count, const hz_buffer *b, uint32_t b_count) {
  const uint32_t count = a_count > b_count ? a_count : b_count;
  for (uint32_t i = 0; i < count; i++) {
    const hz_buffer none = {0, 0}, first = i < a_count ? a[i] : none, second = i < b_count ? b[i] : none;
    to[i] = first.size ? first : second;
  }
  return count;
}

bool hz_message_read(const uint8_t *bytes, hz_message *m, hz_request *r) {
  reader in = {bytes, 0, false};
  hz_buffer x[HZ_BUFFERS], a[HZ_BUFFERS], b[HZ_BUFFERS], c[HZ_BUFFERS];
  const uint32_t w0 = word(&in), w1 = word(&in);
  const uint32_t x_count = w0 >> 16 & 15, a_count = w0 >> 20 & 15, b_count = w0 >> 24 & 15, w_count = w0 >> 28;
  const uint32_t c_mode = w1 >> 10 & 15, c_count = c_mode == 2 ? 1 : c_mode > 2 ? c_mode - 2 : 0;
  m->type = w0 & 0xffff;
  if (w1 >> 31) read_handles(&in, r);
  for (uint32_t i = 0; i < x_count; i++) x[i] = read_pointer(&in);
  for (uint32_t i = 0; i < a_count; i++) a[i] = read_mapped(&in);
  for (uint32_t i = 0; i < b_count; i++) b[i] = read_mapped(&in);
  r->in_count = merge(r->in, a, a_count, x, x_count);
  for (uint32_t i = 0; i < w_count && i < HZ_BUFFERS; i++) {
    const hz_buffer exchanged = read_mapped(&in);
    if (b_count + i < HZ_BUFFERS) b[b_count + i] = exchanged;
  }
  const uint32_t data_at = in.at, data_end = data_at + (w1 & 0x3ff) * 4;
  in.at = data_end;
  for (uint32_t i = 0; i < c_count; i++) c[i] = read_receive(&in);
  r->out_count = merge(r->out, b, b_count, c, c_count);
  for (uint32_t i = 0; i < w_count && r->out_count < HZ_BUFFERS && b_count + i < HZ_BUFFERS; i++)
    if (b_count + i >= r->out_count) r->out[r->out_count++] = b[b_count + i];
  const uint32_t aligned = m->type >= HZ_TIPC_CLOSE ? data_at : (data_at + 15) & ~15u;
  m->data = bytes + aligned;
  m->data_size = aligned < data_end ? data_end - aligned : 0;
  return !in.bad && data_end <= HZ_MESSAGE_SIZE;
}

uint8_t *hz_message_write(uint8_t *bytes, uint32_t type, const uint32_t *copied, uint32_t copied_count,
                          const uint32_t *moved, uint32_t moved_count, uint32_t size) {
  const bool special = copied_count + moved_count > 0;
  uint32_t words[2 + 1 + 2 * HZ_HANDLES], n = 2;
  memset(bytes, 0, HZ_MESSAGE_SIZE);
  if (special) words[n++] = copied_count << 1 | moved_count << 5;
  for (uint32_t i = 0; i < copied_count; i++) words[n++] = copied[i];
  for (uint32_t i = 0; i < moved_count; i++) words[n++] = moved[i];
  const bool tipc = type >= HZ_TIPC_CLOSE;
  const uint32_t at = tipc ? n * 4 : (n * 4 + 15) & ~15u, padding = tipc ? 0 : 16;
  words[0] = tipc ? type : 0;
  words[1] = (padding + size + 3) / 4 | (special ? 1u << 31 : 0);
  if (at + size > HZ_MESSAGE_SIZE) return NULL;
  memcpy(bytes, words, n * 4);
  return bytes + at;
}
