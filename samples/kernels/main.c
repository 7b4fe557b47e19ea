/* PROGRAM SIZE [SEED]: runs the kernel this is linked with and prints its checksum. */
#include <stdio.h>

#include "kernel.h"

int main(int count, char **args)
{
    if (count < 2) {
        fprintf(stderr, "usage: %s SIZE [SEED]\n", args[0]);
        return 2;
    }
    uint64_t seed = count > 2 ? strtoull(args[2], NULL, 10) : 1;
    printf("%016llx\n", (unsigned long long)kernel(strtoull(args[1], NULL, 10), seed * 2 + 1));
    return 0;
}
