/* SPDX-License-Identifier: MIT */
/* Idle IMAP sessions on the built daemon: what one costs in memory and CPU, and how long it takes until
 * all are told of a delivery. $MOX_BENCH_SESSIONS and $MOX_BENCH_TLS (0 or 1) choose one size and kind. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"
#include "memory.h"
#include "program.h"
#include "report.h"
#include "server.h"

/* Enough to keep both sides busy, and fewer than the server lets wait for its hashing thread. */
#define LOGINS_AT_ONCE 50
#define DELIVERIES     30
/* The server gives the record buffers of a connection back when two of its rounds, 5 s apart, found
 * it idle. */
#define SWEPT_SECONDS 11
#define IDLE_SECONDS  10

static struct report report;

/* How the server is started: as it is, or with its heap counted, which is slower. */
struct programs {
    const char *mox, *countheap, *fill;
};

struct load {
    unsigned sessions, messages;
    bool tls;
    char params[64];
};

static void figure(const struct load *load, const char *what, double value, const char *unit)
{
    report_value(&report, what, load->params, value, unit, NULL);
}

static struct crowd *crowd_of(const struct server *s, const struct load *load, unsigned count)
{
    return crowd_new(load->tls ? server_imaps_port(s) : server_imap_port(s), server_smtp_port(s),
                     load->tls, count);
}

/* What is there once, for all of them, is not to count: so one idles before the others. */
static struct crowd *warm_up(const struct server *s, const struct load *load)
{
    struct crowd *c = crowd_of(s, load, 1);
    (void)crowd_idle(c, 1);
    (void)crowd_deliver(c);
    (void)usleep(300000);
    return c;
}

static void measure_logins(const struct server *s, const struct load *load, struct crowd *c)
{
    double cpu = cpu_of(s->pid), start = seconds_now();
    struct crowd_times times = crowd_idle(c, LOGINS_AT_ONCE);
    double n = load->sessions;
    figure(load, "login to IDLE", n / (seconds_now() - start), "/s");
    figure(load, "login to IDLE, 50 at once, p50", times.list[times.count / 2] * 1e3, "ms");
    figure(load, "login to IDLE, CPU of the server", (cpu_of(s->pid) - cpu) * 1e3 / n, "ms");
}

static void measure_memory(const struct server *s, const struct load *load,
                           const struct memory *before, const char *what)
{
    struct memory now = memory_of(s->pid);
    figure(load, what, (now.anonymous - before->anonymous) / load->sessions, "KiB/session");
}

static void measure_idle_cpu(const struct server *s, const struct load *load)
{
    double cpu = cpu_of(s->pid);
    (void)sleep(IDLE_SECONDS);
    figure(load, "idle session, CPU of the server",
           (cpu_of(s->pid) - cpu) * 1e6 / load->sessions * 60 / IDLE_SECONDS, "us/minute");
}

static void measure_deliveries(const struct server *s, const struct load *load, struct crowd *c)
{
    double accepted[DELIVERIES], first[DELIVERIES], median[DELIVERIES], last[DELIVERIES];
    double cpu = cpu_of(s->pid);
    for (int i = 0; i < DELIVERIES; i++) {
        struct crowd_delivery d = crowd_deliver(c);
        accepted[i] = d.accepted * 1e3;
        first[i] = d.first * 1e3;
        median[i] = d.median * 1e3;
        last[i] = d.last * 1e3;
        (void)usleep(50000);
    }
    cpu = cpu_of(s->pid) - cpu;
    figure(load, "delivery until 250, p50", quantile(accepted, DELIVERIES, .5), "ms");
    figure(load, "delivery until the first is told, p50", quantile(first, DELIVERIES, .5), "ms");
    figure(load, "delivery until half are told, p50", quantile(median, DELIVERIES, .5), "ms");
    figure(load, "delivery until the last is told, p50", quantile(last, DELIVERIES, .5), "ms");
    figure(load, "delivery until the last is told, max", last[DELIVERIES - 1], "ms");
    figure(load, "told session, CPU of the server", cpu * 1e6 / DELIVERIES / load->sessions, "us");
}

static void run(const char *command, const char *a, const char *b, const char *c)
{
    int status = 0;
    pid_t pid = program_fork();
    if (pid == 0) {
        (void)execl(command, command, a, b, c, (char *)NULL);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0)
        fail("%s failed", command);
    program_child_gone(pid);
}

static void open_server(struct server *s, const struct programs *p, const struct load *load,
                        const char *preload)
{
    char data[sizeof s->dir + 16], count[16];
    server_open(s, p->mox, preload);
    if (load->messages == 0)
        return;
    server_stop(s);
    (void)snprintf(data, sizeof data, "%s/mox/data", s->dir);
    (void)snprintf(count, sizeof count, "%u", load->messages);
    run(p->fill, data, "mox", count);
    server_start(s);
}

static void measure(const struct programs *p, const struct load *load)
{
    static struct server s;
    open_server(&s, p, load, NULL);
    struct crowd *first = warm_up(&s, load);
    struct memory before = memory_of(s.pid);
    figure(load, "server before them", before.rss, "KiB");
    struct crowd *c = crowd_of(&s, load, load->sessions);
    measure_logins(&s, load, c);
    measure_memory(&s, load, &before, "idle session, memory at first");
    (void)sleep(SWEPT_SECONDS);
    measure_memory(&s, load, &before, "idle session, memory");
    measure_idle_cpu(&s, load);
    measure_deliveries(&s, load, c);
    measure_memory(&s, load, &before, "told session, memory");
    crowd_free(c);
    (void)sleep(SWEPT_SECONDS);
    figure(load, "server after them", memory_of(s.pid).rss, "KiB");
    crowd_free(first);
    server_close(&s);
}

/* -- the heap -------------------------------------------------------------------------------- */

static const volatile int64_t *heap_counter(void)
{
    static char path[4200];
    (void)snprintf(path, sizeof path, "%s/heap", program_folder());
    (void)setenv("MOX_HEAP_COUNT", path, 1);
    return program_counter(path);
}

static void measure_heap(const struct programs *p, const struct load *load)
{
    static struct server s;
    const volatile int64_t *heap = heap_counter();
    open_server(&s, p, load, p->countheap);
    struct crowd *first = warm_up(&s, load);
    int64_t before = *heap;
    struct crowd *c = crowd_of(&s, load, load->sessions);
    (void)crowd_idle(c, LOGINS_AT_ONCE);
    (void)usleep(300000);
    figure(load, "idle session, heap", (double)(*heap - before) / 1024 / load->sessions,
           "KiB/session");
    crowd_free(c);
    crowd_free(first);
    server_close(&s);
}

/* -- all ------------------------------------------------------------------------------------- */

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {1000, 5000};
    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench-sessions MOX LIBCOUNTHEAP FILL\n");
        return 2;
    }
    const struct programs p = {argv[1], argv[2], argv[3]};
    program_start();
    raise_descriptors();
    report_open(&report, "sessions");
    long only = program_number("SESSIONS", 0), only_tls = program_number("TLS", -1);
    for (int tls = 0; tls < 2; tls++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct load load = {.sessions = sizes[i], .tls = tls != 0};
            if ((only != 0 && only != sizes[i]) || (only_tls >= 0 && only_tls != tls))
                continue;
            load.messages = i == 0 ? (unsigned)program_number("INBOX", 0) : 0;
            (void)snprintf(load.params, sizeof load.params, "sessions=%u tls=%s inbox=%u",
                           load.sessions, tls ? "yes" : "no", load.messages);
            measure(&p, &load);
            if (i == 0)
                measure_heap(&p, &load);
        }
    }
    report_close(&report);
    return 0;
}
