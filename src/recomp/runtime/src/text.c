#include "text.h"

#include <stdarg.h>
#include <stdio.h>

rt_text rt_text_over(char *bytes, size_t capacity) { return (rt_text){bytes, 0, capacity}; }

void rt_text_add(rt_text *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(text->bytes + text->size, text->capacity - text->size, format, arguments);
  va_end(arguments);
  if (n <= 0) return;
  size_t room = text->capacity - text->size;
  text->size += (size_t)n < room ? (size_t)n : (room ? room - 1 : 0);
}

void rt_text_add_string(rt_text *text, const char *value) {
  rt_text_add(text, "\"");
  for (; *value; value++) {
    unsigned char c = (unsigned char)*value;
    if (c == '"' || c == '\\') rt_text_add(text, "\\%c", c);
    else if (c < 0x20) rt_text_add(text, "\\u%04x", c);
    else rt_text_add(text, "%c", c < 0x7f ? c : '?');
  }
  rt_text_add(text, "\"");
}
