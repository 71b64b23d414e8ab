/* SPDX-License-Identifier: MIT */
/* Mailboxes and log-ins: NOOP, STATUS, CREATE, LIST with 1,000 mailboxes, LOGIN. */
#include <stdio.h>

#include "bench_imap.h"
#include "program.h"

#define MAILBOXES 1000

static void bench_rate(struct imap_bench *b, const char *what, const char *command, long times,
                       const char *of)
{
    double start = seconds_now();
    for (long i = 0; i < times; i++)
        imap_command(&b->client, "%s", command);
    report_value(b->report, what, NULL, (double)times / (seconds_now() - start), "/s", of);
}

static void bench_create(struct imap_bench *b)
{
    double start = seconds_now();
    for (int i = 0; i < MAILBOXES; i++)
        imap_command(&b->client, "CREATE Projects/%d/Folder%d", i % 20, i);
    report_value(b->report, "CREATE", NULL, MAILBOXES / (seconds_now() - start), "/s", "commits");
}

static void bench_list(struct imap_bench *b, const char *what, const char *command)
{
    double ms[IMAP_BENCH_REPEATS_MAX];
    for (long i = 0; i < b->repeats; i++) {
        ms[i] = 1000 * imap_timed(&b->client, "%s", command);
        if (b->client.untagged < MAILBOXES)
            fail("%s gave %lu responses", command, b->client.untagged);
    }
    report_median(b->report, what, "mailboxes=1000", ms, (size_t)b->repeats, "ms", NULL);
}

/* A connection each, from connecting to the OK. */
static void bench_login(struct imap_bench *b)
{
    enum { TIMES = 20 };
    double ms[TIMES];
    for (int i = 0; i < TIMES; i++) {
        struct imap_client c;
        double start = seconds_now();
        imap_connect(&c, server_imap_port(b->server));
        ms[i] = 1000 * (seconds_now() - start);
        imap_close(&c);
    }
    report_median(b->report, "connect and LOGIN", NULL, ms, TIMES, "ms", NULL);
}

void bench_mailboxes(struct imap_bench *b)
{
    bench_rate(b, "NOOP", "NOOP", 10000, "round-trips");
    bench_rate(b, "STATUS", "STATUS Large (MESSAGES UIDNEXT UNSEEN)", 5000, "round-trips");
    bench_create(b);
    bench_list(b, "LIST", "LIST \"\" *");
    bench_list(b, "LIST of one level", "LIST \"\" Projects/%/%");
    bench_login(b);
}
