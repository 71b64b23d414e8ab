/* SPDX-License-Identifier: MIT */
/* One small command after another, as a person at a client causes them. */
#include <stdio.h>

#include "bench_imap.h"
#include "program.h"

#define TIMES_MAX 5000

struct small_command {
    const char *what;
    const char *before,
        *after;     /* the number of a message, which walks through the mailbox, is between */
    const char *of; /* what of the machine bounds it */
    long times;
    unsigned long responses;
};

static void bench_command(struct imap_bench *b, const struct box *box,
                          const struct small_command *c)
{
    static double waits[TIMES_MAX];
    char what[64], params[64];
    double start = seconds_now();
    for (long i = 0; i < c->times; i++) {
        waits[i] =
            imap_timed(&b->client, "%s %ld %s", c->before, i * 7919 % box->messages + 1, c->after);
        if (b->client.untagged != c->responses)
            fail("%s gave %lu responses", c->before, b->client.untagged);
    }
    const double rate = (double)c->times / (seconds_now() - start);
    (void)snprintf(params, sizeof params, "messages=%ld", box->messages);
    report_value(b->report, c->what, params, rate, "/s", c->of);
    (void)snprintf(what, sizeof what, "%s p99", c->what);
    report_value(b->report, what, params, quantile(waits, (size_t)c->times, 0.99) * 1000, "ms",
                 NULL);
}

void bench_single(struct imap_bench *b, const struct box *box)
{
    static const struct small_command commands[] = {
        {"single FETCH of flags", "FETCH", "(FLAGS)", "round-trips", 5000, 1},
        {"single FETCH of ENVELOPE", "FETCH", "(ENVELOPE)", "round-trips", 5000, 1},
        {"single FETCH of BODY.PEEK[]", "FETCH", "(BODY.PEEK[])", "round-trips", 5000, 1},
        {"single STORE", "STORE", "+FLAGS (\\Answered)", "commits", 1000, 1},
        {"single COPY", "COPY", "Drafts", "commits", 1000, 0},
    };
    imap_command(&b->client, "SELECT %s", box->name);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        bench_command(b, box, &commands[i]);
    imap_command(&b->client, "STORE 1:* -FLAGS.SILENT (\\Answered)");
}
