/* Text into a fixed buffer, without malloc: it is also used while the process is dying. */
#ifndef RT_TEXT_H
#define RT_TEXT_H

#include <stddef.h>

typedef struct rt_text {
  char *bytes;
  size_t size, capacity; /* bytes; what does not fit is dropped */
} rt_text;

rt_text rt_text_over(char *bytes, size_t capacity);
void rt_text_add(rt_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a JSON string with its quotes; bytes outside of ASCII are replaced by `?`. */
void rt_text_add_string(rt_text *text, const char *value);

#endif
