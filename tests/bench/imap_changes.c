/* SPDX-License-Identifier: MIT */
/* Changes of 10,000 messages at once: STORE, COPY, MOVE, EXPUNGE. */
#include <stdio.h>

#include "bench_imap.h"
#include "program.h"

static void responses(struct imap_bench *b, const char *command, unsigned long wanted)
{
    if (b->client.untagged != wanted)
        fail("%s gave %lu responses instead of %lu", command, b->client.untagged, wanted);
}

static void bench_store(struct imap_bench *b, const struct box *box, const char *params)
{
    const long first = box->messages - BATCH + 1, last = box->messages;
    double ms[IMAP_BENCH_REPEATS_MAX], silent_ms[IMAP_BENCH_REPEATS_MAX];
    for (long i = 0; i < b->repeats; i++) {
        ms[i] = 1000 * imap_timed(&b->client, "STORE %ld:%ld +FLAGS (\\Flagged)", first, last);
        responses(b, "STORE", BATCH);
        silent_ms[i] =
            1000 * imap_timed(&b->client, "STORE %ld:%ld -FLAGS.SILENT (\\Flagged)", first, last);
    }
    report_median(b->report, "STORE", params, ms, (size_t)b->repeats, "ms", NULL);
    report_median(b->report, "STORE silent", params, silent_ms, (size_t)b->repeats, "ms", NULL);
}

static void bench_copy(struct imap_bench *b, const struct box *box, const char *params)
{
    const long first = box->messages - BATCH + 1, last = box->messages;
    double ms[IMAP_BENCH_REPEATS_MAX];
    for (long i = 0; i < b->repeats; i++)
        ms[i] = 1000 * imap_timed(&b->client, "COPY %ld:%ld Copies", first, last);
    report_median(b->report, "COPY", params, ms, (size_t)b->repeats, "ms", NULL);
    bench_expect_messages(b, "Copies", BATCH * b->repeats);
}

/* Of the copies, to a mailbox of their own. */
static void bench_move(struct imap_bench *b, const char *params)
{
    double ms[IMAP_BENCH_REPEATS_MAX];
    imap_command(&b->client, "SELECT Copies");
    for (long i = 0; i < b->repeats; i++)
        ms[i] = 1000 * imap_timed(&b->client, "MOVE 1:%d Moved", BATCH);
    report_median(b->report, "MOVE", params, ms, (size_t)b->repeats, "ms", NULL);
    bench_expect_messages(b, "Copies", 0);
    bench_expect_messages(b, "Moved", BATCH * b->repeats);
}

static void bench_expunge(struct imap_bench *b, const char *params)
{
    double ms[IMAP_BENCH_REPEATS_MAX];
    imap_command(&b->client, "SELECT Moved");
    for (long i = 0; i < b->repeats; i++) {
        imap_command(&b->client, "STORE 1:%d +FLAGS.SILENT (\\Deleted)", BATCH);
        ms[i] = 1000 * imap_timed(&b->client, "EXPUNGE");
        responses(b, "EXPUNGE", BATCH);
    }
    report_median(b->report, "EXPUNGE", params, ms, (size_t)b->repeats, "ms", NULL);
    bench_expect_messages(b, "Moved", 0);
}

void bench_changes(struct imap_bench *b, const struct box *box)
{
    char params[64];
    (void)snprintf(params, sizeof params, "messages=%ld", box->messages);
    imap_command(&b->client, "CREATE Copies");
    imap_command(&b->client, "CREATE Moved");
    imap_command(&b->client, "SELECT %s", box->name);
    bench_store(b, box, params);
    bench_copy(b, box, params);
    bench_move(b, params);
    bench_expunge(b, params);
    imap_command(&b->client, "SELECT %s", box->name);
    imap_command(&b->client, "DELETE Copies");
    imap_command(&b->client, "DELETE Moved");
}
