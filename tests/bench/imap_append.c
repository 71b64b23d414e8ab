/* SPDX-License-Identifier: MIT */
/* APPEND of 4 KiB, on 1, 10 and 50 connections. */
#include <stdio.h>

#include "baseline.h"
#include "bench_imap.h"
#include "imap_load.h"
#include "program.h"

struct results {
    double rate[IMAP_BENCH_REPEATS_MAX], per_sync[IMAP_BENCH_REPEATS_MAX],
        cpu_ms[IMAP_BENCH_REPEATS_MAX], p50_ms[IMAP_BENCH_REPEATS_MAX],
        p99_ms[IMAP_BENCH_REPEATS_MAX];
};

static void run_once(struct imap_bench *b, struct imap_load *l, struct results *out, long at)
{
    const struct server *s = b->server;
    const double n = (double)l->messages, cpu = server_cpu_seconds(s);
    const uint64_t syncs = *s->syncs;
    imap_load_run(l);
    out->rate[at] = n / l->seconds;
    out->per_sync[at] = n / (double)(*s->syncs - syncs);
    out->cpu_ms[at] = (server_cpu_seconds(s) - cpu) * 1000 / n;
    out->p50_ms[at] = quantile(l->waits, (size_t)l->messages, 0.5) * 1000;
    out->p99_ms[at] = quantile(l->waits, (size_t)l->messages, 0.99) * 1000;
    imap_load_free(l);
    l->first += (unsigned long)l->messages;
}

static void report_load(struct imap_bench *b, unsigned connections, struct results *x)
{
    const size_t n = (size_t)b->repeats;
    char params[64];
    (void)snprintf(params, sizeof params, "bytes=4096 connections=%u", connections);
    report_median(b->report, "APPEND", params, x->rate, n, "msgs/s", "commits");
    report_median(b->report, "APPEND per sync", params, x->per_sync, n, "messages", NULL);
    report_median(b->report, "APPEND CPU", params, x->cpu_ms, n, "ms", NULL);
    report_median(b->report, "APPEND wait p50", params, x->p50_ms, n, "ms", NULL);
    report_median(b->report, "APPEND wait p99", params, x->p99_ms, n, "ms", NULL);
}

void bench_append(struct imap_bench *b)
{
    static const struct {
        unsigned connections;
        long messages;
    } loads[] = {{1, 2000}, {10, 6000}, {50, 8000}};
    static struct results results[sizeof loads / sizeof loads[0]];
    struct mails mails;
    struct imap_load l = {.port = server_imap_port(b->server), .mailbox = "Inbox", .mails = &mails};
    mails_open(&mails, 4096, BATCH, true);
    for (long i = 0; i < b->repeats; i++) {
        for (size_t at = 0; at < sizeof loads / sizeof loads[0]; at++) {
            l.connections = loads[at].connections;
            l.messages = loads[at].messages;
            run_once(b, &l, &results[at], i);
        }
        baseline_report(b->report, program_folder(), MACHINE_DISK, 0.5);
    }
    for (size_t at = 0; at < sizeof loads / sizeof loads[0]; at++)
        report_load(b, loads[at].connections, &results[at]);
    mails_close(&mails);
}
