/* A bit of everything an embedded program does: linked lists, a state machine over text, a checksum, small products. */
#include <string.h>

#include "kernel.h"

struct item {
    struct item *next;
    int16_t value, index;
};

static struct item *reverse(struct item *list)
{
    struct item *back = NULL;
    while (list) {
        struct item *next = list->next;
        list->next = back;
        back = list;
        list = next;
    }
    return back;
}

static struct item *merge(struct item *a, struct item *b)
{
    struct item head, *end = &head;
    while (a && b) {
        struct item **least = a->value <= b->value ? &a : &b;
        end = end->next = *least;
        *least = (*least)->next;
    }
    end->next = a ? a : b;
    return head.next;
}

static struct item *sort(struct item *list, int count)
{
    if (count < 2) return list;
    struct item *half = list;
    for (int i = 1; i < count / 2; i++) half = half->next;
    struct item *second = half->next;
    half->next = NULL;
    return merge(sort(list, count / 2), sort(second, count - count / 2));
}

enum state { START, SIGN, DIGITS, POINT, FRACTION, EXPONENT, WRONG, STATES };

/* Which of the words of a text are numbers, and of which form. */
static void scan(const char *text, uint32_t found[STATES])
{
    enum state state = START;
    for (;; text++) {
        char ch = *text;
        if (ch == ',' || !ch) {
            found[state]++;
            state = START;
            if (!ch) return;
            continue;
        }
        int digit = ch >= '0' && ch <= '9';
        switch (state) {
        case START: state = digit ? DIGITS : ch == '+' || ch == '-' ? SIGN : ch == '.' ? POINT : WRONG; break;
        case SIGN: state = digit ? DIGITS : ch == '.' ? POINT : WRONG; break;
        case DIGITS: state = digit ? DIGITS : ch == '.' ? FRACTION : ch == 'e' ? EXPONENT : WRONG; break;
        case POINT: state = digit ? FRACTION : WRONG; break;
        case FRACTION: state = digit ? FRACTION : ch == 'e' ? EXPONENT : WRONG; break;
        case EXPONENT: state = digit ? EXPONENT : WRONG; break;
        case WRONG:
        case STATES: break;
        }
    }
}

static uint16_t checksum(uint16_t sum, uint32_t value)
{
    for (int bit = 0; bit < 16; bit++, value >>= 1) sum = (uint16_t)((sum >> 1) ^ ((sum ^ value) & 1 ? 0xa001 : 0));
    return sum;
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    enum { ITEMS = 300, TEXT = 500 };
    static struct item items[ITEMS];
    static int16_t grid[12][12];
    char text[TEXT + 1] = "";
    uint32_t found[STATES] = {0};
    uint16_t sum = 0;
    for (uint64_t round = 0; round < size; round++) {
        for (int i = 0; i < ITEMS; i++)
            items[i] = (struct item){i + 1 < ITEMS ? &items[i + 1] : NULL, (int16_t)next_random(&seed), (int16_t)i};
        struct item *list = reverse(sort(items, ITEMS));
        for (int i = 0; list; list = list->next, i++)
            if (i % 25 == 0) sum = checksum(sum, (uint32_t)list->index);
        for (int i = 0; i < TEXT; i++) text[i] = "0123456789.,+-e,58x,"[next_random(&seed) % 20];
        scan(text, found);
        for (int i = 0; i < 144; i++) grid[i / 12][i % 12] = (int16_t)(grid[i % 12][i / 12] * 3 + found[i % STATES] + (uint32_t)i);
        for (int i = 0; i < 12; i++) {
            int32_t product = 0;
            for (int k = 0; k < 12; k++) product += grid[i][k] * grid[k][i];
            sum = checksum(sum, (uint32_t)product);
        }
    }
    uint64_t hash = sum;
    for (int i = 0; i < STATES; i++) hash = fold(hash, found[i]);
    return hash;
}
