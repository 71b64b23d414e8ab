/* SPDX-License-Identifier: MIT */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <sys/types.h>

/* Memory of a process, in KiB, from /proc/PID/smaps_rollup. Pages of mapped files are not in
 * `anonymous`: the system takes them back as it likes. */
struct memory {
    double rss, pss, anonymous;
};

struct memory memory_of(pid_t pid);
/* CPU seconds so far, of all its threads, exact to the nanosecond. */
double cpu_of(pid_t pid);

#endif
