/* SPDX-License-Identifier: MIT */
/* Durable deliveries over SMTP into the built daemon, on loopback: messages and syncs per second, CPU of
 * the server per message, bytes written, and how long a message waits for its 250. */
#include <stdio.h>

#include "baseline.h"
#include "mails.h"
#include "program.h"
#include "report.h"
#include "server.h"
#include "smtp_load.h"

#define MAX_REPEATS  15
#define MANY_SENDERS 10000
#define MACHINE_TIME 0.5 /* seconds for each look at the machine, of which there are many */

static struct report report;

struct load {
    size_t bytes;
    unsigned connections, senders;
    long messages; /* in each repeat */
};

/* A load's figures, a value per repeat. */
struct results {
    size_t count;
    double rate[MAX_REPEATS], per_sync[MAX_REPEATS], cpu_ms[MAX_REPEATS], p50_ms[MAX_REPEATS],
        p99_ms[MAX_REPEATS], written[MAX_REPEATS];
};

static void run_once(struct server *s, const struct load *l, struct results *out)
{
    static unsigned long sent;
    struct mails mails;
    mails_open(&mails, l->bytes, l->senders, true);
    struct smtp_load load = {.port = server_smtp_port(s),
                             .connections = l->connections,
                             .messages = l->messages,
                             .mails = &mails,
                             .first = sent};
    const double n = (double)l->messages, cpu = server_cpu_seconds(s);
    const uint64_t syncs = *s->syncs, written = server_written_bytes(s);
    smtp_load_run(&load);
    const size_t at = out->count++;
    out->rate[at] = n / load.seconds;
    out->per_sync[at] = n / (double)(*s->syncs - syncs);
    out->cpu_ms[at] = (server_cpu_seconds(s) - cpu) * 1000 / n;
    out->written[at] = (double)(server_written_bytes(s) - written) / n;
    out->p50_ms[at] = quantile(load.waits, (size_t)l->messages, 0.5) * 1000;
    out->p99_ms[at] = quantile(load.waits, (size_t)l->messages, 0.99) * 1000;
    sent += (unsigned long)l->messages;
    smtp_load_free(&load);
    mails_close(&mails);
}

static void report_load(const struct load *l, struct results *x)
{
    char params[96];
    (void)snprintf(params, sizeof params, "bytes=%zu connections=%u senders=%u", l->bytes,
                   l->connections, l->senders);
    report_median(&report, "delivery", params, x->rate, x->count, "msgs/s", "commits");
    report_median(&report, "messages per sync", params, x->per_sync, x->count, "messages", NULL);
    report_median(&report, "CPU per message", params, x->cpu_ms, x->count, "ms", NULL);
    report_median(&report, "wait p50", params, x->p50_ms, x->count, "ms", NULL);
    report_median(&report, "wait p99", params, x->p99_ms, x->count, "ms", NULL);
    report_median(&report, "written per message", params, x->written, x->count, "bytes", NULL);
}

int main(int argc, char **argv)
{
    static const struct load loads[] = {
        {4096, 1, 1, 2000},
        {4096, 1, MANY_SENDERS, 2000},
        {4096, 10, 1, 6000},
        {4096, 10, MANY_SENDERS, 6000},
        {4096, 50, 1, 8000},
        {4096, 50, MANY_SENDERS, 8000},
        {102400, 1, MANY_SENDERS, 400},
        {102400, 10, MANY_SENDERS, 1200},
        {102400, 50, MANY_SENDERS, 1200},
    };
    static struct results results[sizeof loads / sizeof loads[0]];
    struct server s;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench-delivery MOX LIBCOUNTSYNC\n");
        return 2;
    }
    program_start();
    report_open(&report, "delivery");
    long repeats = program_number("REPEATS", 3);
    if (repeats < 1 || repeats > MAX_REPEATS)
        fail("MOX_BENCH_REPEATS is a number from 1 to %d", MAX_REPEATS);
    baseline_report(&report, program_folder(), MACHINE_DISK, MACHINE_TIME);
    server_open(&s, argv[1], argv[2]);
    /* The disk is not the same from minute to minute, so the repeats of a load are spread over the run, and
     * the machine is measured between them. */
    for (long i = 0; i < repeats; i++) {
        for (size_t at = 0; at < sizeof loads / sizeof loads[0]; at++)
            run_once(&s, &loads[at], &results[at]);
        baseline_report(&report, program_folder(), MACHINE_DISK, MACHINE_TIME);
    }
    for (size_t at = 0; at < sizeof loads / sizeof loads[0]; at++)
        report_load(&loads[at], &results[at]);
    server_close(&s);
    report_close(&report);
    return 0;
}
