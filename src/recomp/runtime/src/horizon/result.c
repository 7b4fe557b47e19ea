#include "result.h"

#include <stdio.h>

typedef struct name {
  uint16_t module, description; /* description 0 = the module's own name */
  const char *text;
} name;

static const name names[] = {
    {1, 0, "kernel"},           {1, 7, "out of sessions"},       {1, 101, "invalid size"},
    {1, 102, "invalid address"}, {1, 103, "resource exhausted"},  {1, 104, "out of memory"},
    {1, 105, "out of handles"},  {1, 106, "invalid memory state"}, {1, 108, "invalid permission"},
    {1, 110, "invalid memory range"}, {1, 112, "invalid priority"}, {1, 113, "invalid core"},
    {1, 114, "invalid handle"},  {1, 115, "invalid pointer"},     {1, 116, "invalid combination"},
    {1, 117, "timed out"},       {1, 118, "cancelled"},           {1, 119, "out of range"},
    {1, 120, "invalid enum"},    {1, 121, "not found"},           {1, 122, "busy"},
    {1, 123, "session closed"},  {1, 125, "invalid state"},       {2, 0, "file system"},
    {2, 1, "path not found"},    {2, 2, "path exists"},           {10, 0, "IPC"},
    {10, 221, "unknown command"}, {21, 0, "service manager"},     {21, 7, "service not registered"},
    {128, 0, "applet manager"},  {345, 0, "libnx"},               {345, 1, "bad relocation"}, {345, 13, "buffer producer"}, {345, 15, "heap"},              {345, 18, "bad graphics initialisation"},
    {345, 20, "bad queue of a buffer"}, {345, 21, "bad dequeue of a buffer"}, {345, 30, "service manager not there"},
    {345, 31, "applet manager not there"}, {345, 32, "hid not there"}, {345, 33, "file system not there"},
    {345, 38, "time not there"}, {346, 0, "homebrew ABI"},        {347, 0, "homebrew loader"},
    {348, 0, "nvidia"},          {349, 0, "binder"},
};

const char *hz_result_text(hz_result result) {
  static char text[96];
  const unsigned module = result & 0x1ff, description = result >> 9 & 0x1fff;
  const char *meaning = "";
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].module == module && (names[i].description == 0 || names[i].description == description))
      meaning = names[i].text;
  if (result == HZ_OK) return "success";
  snprintf(text, sizeof text, "2%03u-%04u%s%s%s", module, description, *meaning ? " (" : "", meaning,
           *meaning ? ")" : "");
  return text;
}
