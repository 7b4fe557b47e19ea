/* printf and its kin without files or locales: %c %s %d %i %u %x %X %p %%, widths, precisions of strings, '0' '-' '#', l ll z.
 * Text goes to the kernel's debug channel and, where there is one, to the console. */
#include <nx/process.h>
#include <nx/svc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void (*nx_text_sink)(const char *text, size_t size);

struct out {
    char *at;
    size_t room, length;
};

static void put(struct out *out, char c)
{
    if (out->length + 1 < out->room) out->at[out->length] = c;
    out->length++;
}

static void put_field(struct out *out, const char *text, int length, int width, bool left, char fill)
{
    int gap = width > length ? width - length : 0;
    if (!left && fill == '0' && *text == '-') {
        put(out, *text++);
        length--;
    }
    for (int i = 0; !left && i < gap; i++) put(out, fill);
    for (int i = 0; i < length; i++) put(out, text[i]);
    for (int i = 0; left && i < gap; i++) put(out, ' ');
}

static int to_digits(char text[24], uint64_t value, unsigned base, const char *digits, bool negative)
{
    char reversed[24];
    int count = 0, length = 0;
    do reversed[count++] = digits[value % base];
    while (value /= base);
    if (negative) text[length++] = '-';
    while (count) text[length++] = reversed[--count];
    return length;
}

struct field {
    bool left, prefix, is_long;
    char fill;
    int width, precision;
};

static const char *read_field(struct field *f, const char *p, va_list *args)
{
    *f = (struct field){.fill = ' ', .precision = -1};
    for (; *p == '-' || *p == '0' || *p == '#'; p++) {
        if (*p == '-') f->left = true;
        else if (*p == '#') f->prefix = true;
        else f->fill = '0';
    }
    if (*p == '*') f->width = va_arg(*args, int), p++;
    while (*p >= '0' && *p <= '9') f->width = f->width * 10 + *p++ - '0';
    if (*p == '.') {
        p++;
        if (*p == '*') f->precision = va_arg(*args, int), p++;
        else
            for (f->precision = 0; *p >= '0' && *p <= '9'; p++) f->precision = f->precision * 10 + *p - '0';
    }
    for (; *p == 'l' || *p == 'z'; p++) f->is_long = true;
    return p;
}

static void put_conversion(struct out *out, const struct field *f, char kind, va_list *args)
{
    char text[24];
    const char *from = text;
    int length;
    if (kind == 's') {
        from = va_arg(*args, const char *);
        length = (int)(f->precision >= 0 ? strnlen(from, (size_t)f->precision) : strlen(from));
    } else if (kind == 'd' || kind == 'i') {
        int64_t value = f->is_long ? va_arg(*args, long) : va_arg(*args, int);
        length = to_digits(text, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, "0123456789", value < 0);
    } else if (kind == 'u' || kind == 'x' || kind == 'X' || kind == 'p') {
        uint64_t value = f->is_long || kind == 'p' ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);
        const char *digits = kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
        if (kind == 'p' || (f->prefix && kind != 'u' && value)) {
            put(out, '0');
            put(out, kind == 'X' ? 'X' : 'x');
        }
        length = to_digits(text, value, kind == 'u' ? 10 : 16, digits, false);
    } else {
        text[0] = kind == 'c' ? (char)va_arg(*args, int) : kind;
        length = 1;
    }
    put_field(out, from, length, f->width, f->left, f->fill);
}

int vsnprintf(char *restrict at, size_t room, const char *restrict format, va_list list)
{
    struct out out = {at, room, 0};
    va_list args;
    va_copy(args, list);
    for (const char *p = format; *p; p++) {
        if (*p != '%') {
            put(&out, *p);
            continue;
        }
        struct field field;
        p = read_field(&field, p + 1, &args);
        if (!*p) break;
        put_conversion(&out, &field, *p, &args);
    }
    va_end(args);
    if (room) at[out.length < room ? out.length : room - 1] = 0;
    return (int)out.length;
}

int snprintf(char *restrict at, size_t room, const char *restrict format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(at, room, format, args);
    va_end(args);
    return length;
}

void nx_say(const char *text, size_t size)
{
    nx_debug_text(text, size);
    if (nx_text_sink) nx_text_sink(text, size);
}

static int say_formatted(const char *format, va_list args)
{
    char line[1024];
    int length = vsnprintf(line, sizeof line, format, args);
    nx_say(line, length < (int)sizeof line ? (size_t)length : sizeof line - 1);
    return length;
}

int printf(const char *restrict format, ...)
{
    va_list args;
    va_start(args, format);
    int length = say_formatted(format, args);
    va_end(args);
    return length;
}

/* There are no files here: whatever the stream, it is the one channel. */
int fprintf(FILE *restrict stream, const char *restrict format, ...)
{
    (void)stream;
    va_list args;
    va_start(args, format);
    int length = say_formatted(format, args);
    va_end(args);
    return length;
}

int puts(const char *text)
{
    return printf("%s\n", text);
}

int fputs(const char *restrict text, FILE *restrict stream)
{
    (void)stream;
    nx_say(text, strlen(text));
    return 0;
}

int putchar(int c)
{
    char text = (char)c;
    nx_say(&text, 1);
    return (unsigned char)c;
}

int fputc(int c, FILE *stream)
{
    (void)stream;
    return putchar(c);
}

size_t fwrite(const void *restrict bytes, size_t size, size_t count, FILE *restrict stream)
{
    (void)stream;
    nx_say(bytes, size * count);
    return count;
}

#undef stdout
#undef stderr
FILE *const stdout = NULL;
FILE *const stderr = NULL;

/* The C library's mathematics and string functions report through this; one for all threads, nobody reads it. */
int *__errno_location(void)
{
    static int error;
    return &error;
}

int *___errno_location(void)
{
    return __errno_location();
}

_Noreturn void exit(int code)
{
    nx_exit((nx_result)code);
}

_Noreturn void abort(void)
{
    nx_fail(NX_RESULT(345, 100));
}
