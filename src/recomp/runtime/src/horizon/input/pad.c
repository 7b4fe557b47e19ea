#include "pad.h"

#include "../../input.h"
#include "../../record.h"

#define STICK_MOST 32767
#define STICK_PRESSED 16384 /* from here on a stick counts as a direction */
#define BTN_TOUCH 0x14a

enum { ABS_X = 0, ABS_Y = 1, ABS_RX = 3, ABS_RY = 4, HAT_X = 16, HAT_Y = 17, MT_X = 0x35, MT_Y = 0x36 };

/* Keys of a keyboard and buttons of a pad, as docs/automation.md lists them. */
static const struct {
  uint16_t code;
  uint32_t button;
} keys[] = {
    {44, HZ_A},        {45, HZ_B},         {30, HZ_X},        {31, HZ_Y},     {16, HZ_L},     {17, HZ_R},
    {2, HZ_ZL},        {3, HZ_ZR},         {28, HZ_PLUS},     {1, HZ_MINUS},  {46, HZ_STICK_L}, {47, HZ_STICK_R},
    {103, HZ_UP},      {108, HZ_DOWN},     {105, HZ_LEFT},    {106, HZ_RIGHT},
    {0x131, HZ_A},     {0x130, HZ_B},      {0x133, HZ_X},     {0x134, HZ_Y},  {0x136, HZ_L},  {0x137, HZ_R},
    {0x138, HZ_ZL},    {0x139, HZ_ZR},     {0x13b, HZ_PLUS},  {0x13a, HZ_MINUS}, {0x13d, HZ_STICK_L}, {0x13e, HZ_STICK_R},
    {0x220, HZ_UP},    {0x221, HZ_DOWN},   {0x222, HZ_LEFT},  {0x223, HZ_RIGHT},
};

static hz_pad pad;
static size_t next_event;

static void set(uint32_t button, bool pressed) {
  if (pressed) pad.buttons |= button;
  else pad.buttons &= ~(uint64_t)button;
}

static void press(uint16_t code, bool pressed) {
  if (code == BTN_TOUCH) pad.touched = pressed;
  for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
    if (keys[i].code == code) set(keys[i].button, pressed);
}

static int32_t limited(int64_t value) {
  return value > STICK_MOST ? STICK_MOST : value < -STICK_MOST ? -STICK_MOST : (int32_t)value;
}

static uint32_t within(int32_t value, uint32_t size) {
  return value < 0 ? 0 : (uint32_t)value >= size ? size - 1 : (uint32_t)value;
}

/* evdev's vertical axes grow downwards. */
static void move(uint16_t axis, int32_t value) {
  switch (axis) {
    case ABS_X: pad.left_x = limited(value); break;
    case ABS_Y: pad.left_y = limited(-(int64_t)value); break;
    case ABS_RX: pad.right_x = limited(value); break;
    case ABS_RY: pad.right_y = limited(-(int64_t)value); break;
    case HAT_X: set(HZ_LEFT, value < 0), set(HZ_RIGHT, value > 0); break;
    case HAT_Y: set(HZ_UP, value < 0), set(HZ_DOWN, value > 0); break;
    case MT_X: pad.touch_x = within(value, 1280); break;
    case MT_Y: pad.touch_y = within(value, 720); break;
    default: break;
  }
}

static void derive(unsigned first, int32_t x, int32_t y) {
  set(1u << first, x <= -STICK_PRESSED);
  set(1u << (first + 1), y >= STICK_PRESSED);
  set(1u << (first + 2), x >= STICK_PRESSED);
  set(1u << (first + 3), y <= -STICK_PRESSED);
}

const hz_pad *hz_pad_at(uint64_t tick) {
  const rt_input_event *e;
  for (; (e = rt_input_at(next_event)) && e->tick <= tick; next_event++) {
    if (e->type == RT_EV_KEY) press(e->code, e->value != 0);
    if (e->type == RT_EV_ABS) move(e->code, e->value);
    if (!e->added) rt_record_input(tick, e->type, e->code, e->value);
  }
  derive(HZ_LEFT_STICK_FIRST, pad.left_x, pad.left_y);
  derive(HZ_RIGHT_STICK_FIRST, pad.right_x, pad.right_y);
  return &pad;
}
