/* SPDX-License-Identifier: MIT */
#include "baseline.h"

#include <stdlib.h>
#include <string.h>

#include "program.h"

#define BLOCK (1024 * 1024)

double baseline_memory_bytes(double seconds)
{
    char *from = must_malloc(BLOCK), *to = must_malloc(BLOCK);
    volatile char sink;
    long n = 0;
    memset(from, 'x', BLOCK);
    double start = seconds_now(), elapsed;
    do {
        from[n % BLOCK] = (char)n; /* so that no copy can be left out */
        memcpy(to, from, BLOCK);
        sink = to[n % BLOCK];
        (void)sink;
        n++;
    } while ((elapsed = seconds_now() - start) < seconds);
    free(from);
    free(to);
    return (double)n * BLOCK / elapsed;
}
