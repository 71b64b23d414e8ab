/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <stdio.h>
#include <time.h>

#include "program.h"

struct memory memory_of(pid_t pid)
{
    char path[64], line[256];
    struct memory m = {0, 0, 0};
    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        die(path);
    while (fgets(line, sizeof line, f) != NULL) {
        (void)sscanf(line, "Rss: %lf", &m.rss);
        (void)sscanf(line, "Pss: %lf", &m.pss);
        (void)sscanf(line, "Anonymous: %lf", &m.anonymous);
    }
    (void)fclose(f);
    return m;
}

double cpu_of(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        die("CPU time of the server");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
