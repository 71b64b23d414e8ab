/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "server/metrics.h"

/* What dashboards expect of every process. What this system does not tell is left out. */

static const struct mox_metric start_time = {
    .name = "process_start_time_seconds",
    .help = "Start of the process, in seconds since 1970.",
    .type = MOX_METRIC_GAUGE,
    .unit = MOX_METRIC_SECONDS,
};
static const struct mox_metric cpu = {
    .name = "process_cpu_seconds_total",
    .help = "User and system time of the processor that the process has taken.",
    .unit = MOX_METRIC_SECONDS,
};
static const struct mox_metric resident = {
    .name = "process_resident_memory_bytes",
    .help = "Memory of the process that is in RAM.",
    .type = MOX_METRIC_GAUGE,
};
static const struct mox_metric virtual_memory = {
    .name = "process_virtual_memory_bytes",
    .help = "Memory that the process has mapped.",
    .type = MOX_METRIC_GAUGE,
};
static const struct mox_metric threads = {
    .name = "process_threads",
    .help = "Threads of the process.",
    .type = MOX_METRIC_GAUGE,
};
static const struct mox_metric open_fds = {
    .name = "process_open_fds",
    .help = "Descriptors that the process has open.",
    .type = MOX_METRIC_GAUGE,
};
static const struct mox_metric max_fds = {
    .name = "process_max_fds",
    .help = "Descriptors that the process may have open.",
    .type = MOX_METRIC_GAUGE,
};

struct process {
    long thread_count;
    unsigned long long start_ticks; /* since the system's start */
    unsigned long long virtual_bytes;
    long resident_pages;
};

/* proc(5): the fields of /proc/self/stat behind the program's name, which may have any characters. */
static bool read_stat(struct process *p)
{
    char text[1024];
    FILE *f = fopen("/proc/self/stat", "re");
    if (f == NULL)
        return false;
    size_t len = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[len] = '\0';
    const char *rest = strrchr(text, ')');
    return rest != NULL &&
           sscanf(rest + 1,
                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d "
                  "%llu %llu %ld",
                  &p->thread_count, &p->start_ticks, &p->virtual_bytes, &p->resident_pages) == 4;
}

static int64_t count_fds(void)
{
    int64_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    if (d == NULL)
        return -1;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += e->d_name[0] != '.';
    (void)closedir(d);
    return n - 1; /* without the one that reads this */
}

static int64_t cpu_us(void)
{
    struct rusage r;
    if (getrusage(RUSAGE_SELF, &r) != 0)
        return 0;
    return ((int64_t)r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 + r.ru_utime.tv_usec +
           r.ru_stime.tv_usec;
}

static void collect(void *user, struct mox_metrics *m)
{
    (void)user;
    struct process p;
    struct rlimit files;
    int64_t fds = count_fds();
    mox_metrics_set(m, &cpu, NULL, cpu_us());
    if (fds >= 0)
        mox_metrics_set(m, &open_fds, NULL, fds);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur <= INT64_MAX)
        mox_metrics_set(m, &max_fds, NULL, (int64_t)files.rlim_cur);
    if (!read_stat(&p))
        return;
    mox_metrics_set(m, &threads, NULL, p.thread_count);
    mox_metrics_set(m, &virtual_memory, NULL, (int64_t)p.virtual_bytes);
    mox_metrics_set(m, &resident, NULL, p.resident_pages * (int64_t)sysconf(_SC_PAGESIZE));
}

/* Once, since it must not change when the clock does. */
static void set_start_time(struct mox_server *s)
{
    struct process p;
    struct timespec up;
    if (!read_stat(&p) || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return;
    int64_t up_us = (int64_t)up.tv_sec * 1000000 + up.tv_nsec / 1000;
    int64_t start_us = (int64_t)p.start_ticks * 1000000 / sysconf(_SC_CLK_TCK);
    mox_metrics_set(s->metrics, &start_time, NULL,
                    s->env.wall_us(s->env.user) - (up_us - start_us));
}

int mox__process_metrics(struct mox_server *s)
{
    set_start_time(s);
    return mox_metrics_collect(s->metrics, collect, NULL);
}
