/* SPDX-License-Identifier: MIT */
/* What a full mailbox costs: the same few things at 100, 10,000 … 200,000 messages in the inbox, through the
 * built daemon, and each cost in relation to that at the smallest size. Half of the mail is of one
 * sender, so "one sender" shows what its history costs. */
#include <stdbool.h>
#include <stdio.h>

#include "baseline.h"
#include "imap_client.h"
#include "imap_load.h"
#include "mails.h"
#include "program.h"
#include "report.h"
#include "server.h"
#include "smtp_load.h"

#define MAX_SIZES  16
#define ROUNDS     3
#define COLD_TIMES 3
#define TIMES      50
#define FEW        100

static struct report report;

/* In the order in which they are measured: what adds messages comes last. */
enum what {
    DISK_BYTES,
    SELECT_COLD,
    SELECT_NOBODY,
    SELECT_AGAIN,
    FETCH_FLAGS,
    SEARCH_UNSEEN,
    STORE_ONE,
    COPY_FEW,
    DELIVER_ONE_SENDER_1,
    DELIVER_ONE_SENDER,
    DELIVER_MANY,
    APPEND,
    COUNT
};

static const struct {
    const char *name, *params, *unit, *of;
    bool is_rate; /* more is better */
} measures[COUNT] = {
    [DISK_BYTES] = {"on disk per message of 4 KiB", "", "bytes", NULL, false},
    [SELECT_COLD] = {"SELECT cold", "", "ms", NULL, false},
    [SELECT_NOBODY] = {"SELECT nobody in it", "", "ms", NULL, false},
    [SELECT_AGAIN] = {"SELECT again", "", "ms", NULL, false},
    [FETCH_FLAGS] = {"FETCH FLAGS of the newest 100", "", "ms", NULL, false},
    [SEARCH_UNSEEN] = {"SEARCH UNSEEN", "", "ms", NULL, false},
    [STORE_ONE] = {"STORE of one", "", "ms", NULL, false},
    [COPY_FEW] = {"COPY of 100", "", "ms", NULL, false},
    [DELIVER_ONE_SENDER_1] = {"delivery", "connections=1 senders=1", "msgs/s", "commits", true},
    [DELIVER_ONE_SENDER] = {"delivery", "connections=10 senders=1", "msgs/s", "commits", true},
    [DELIVER_MANY] = {"delivery", "connections=10 senders=10000", "msgs/s", "commits", true},
    [APPEND] = {"APPEND", "connections=10", "msgs/s", "commits", true},
};

struct growth {
    struct server server;
    struct imap_client client;
    struct mails one, many;
    unsigned long sent_one, sent_many, sent_before;
    long messages; /* in the inbox */
    size_t size_count;
    long sizes[MAX_SIZES];
    double values[MAX_SIZES][COUNT];
};

static void record(struct growth *g, size_t size, enum what w, double *values, size_t count)
{
    char params[128];
    size_t at = (size_t)snprintf(params, sizeof params, "messages=%ld %s", g->sizes[size],
                                 measures[w].params);
    if (w == DELIVER_ONE_SENDER || w == DELIVER_ONE_SENDER_1)
        (void)snprintf(params + at, sizeof params - at, " sent-before=%lu", g->sent_before);
    report_median(&report, measures[w].name, params, values, count, measures[w].unit,
                  measures[w].of);
    g->values[size][w] = quantile(values, count, 0.5);
}

/* ---- what adds messages ---- */

static double deliver(struct growth *g, unsigned connections, long messages, bool one_sender)
{
    unsigned long *sent = one_sender ? &g->sent_one : &g->sent_many;
    struct smtp_load l = {.port = server_smtp_port(&g->server),
                          .connections = connections,
                          .messages = messages,
                          .mails = one_sender ? &g->one : &g->many,
                          .first = *sent};
    smtp_load_run(&l);
    smtp_load_free(&l);
    *sent += (unsigned long)messages;
    g->messages += messages;
    return (double)messages / l.seconds;
}

static double append(struct growth *g, long messages)
{
    struct imap_load l = {.port = server_imap_port(&g->server),
                          .connections = 10,
                          .messages = messages,
                          .mailbox = "Inbox",
                          .mails = &g->many,
                          .first = g->sent_many};
    imap_load_run(&l);
    imap_load_free(&l);
    g->sent_many += (unsigned long)messages;
    g->messages += messages;
    return (double)messages / l.seconds;
}

static void measure_additions(struct growth *g, size_t size)
{
    double rates[4][ROUNDS];
    g->sent_before = g->sent_one;
    for (int i = 0; i < ROUNDS; i++) {
        rates[0][i] = deliver(g, 1, 300, true);
        rates[1][i] = deliver(g, 10, 1000, true);
        rates[2][i] = deliver(g, 10, 1000, false);
        rates[3][i] = append(g, 800);
    }
    for (int i = 0; i < 4; i++)
        record(g, size, (enum what)(DELIVER_ONE_SENDER_1 + i), rates[i], ROUNDS);
}

static void fill_to(struct growth *g, long messages)
{
    const long missing = messages - g->messages, half = missing / 2;
    if (missing < 0)
        fail("%ld messages are there already at the step of %ld", g->messages, messages);
    smtp_fill(server_smtp_port(&g->server), &g->one, g->sent_one, half);
    smtp_fill(server_smtp_port(&g->server), &g->many, g->sent_many, missing - half);
    g->sent_one += (unsigned long)half;
    g->sent_many += (unsigned long)(missing - half);
    g->messages = messages;
}

/* ---- what reads and changes ---- */

static double select_inbox(struct growth *g)
{
    return 1000 * imap_select(&g->client, "Inbox", g->messages);
}

/* Leaves a client logged in. */
static void measure_cold(struct growth *g, size_t size)
{
    double ms[COLD_TIMES], bytes = 0;
    for (int i = 0; i < COLD_TIMES; i++) {
        server_stop(&g->server);
        bytes = (double)server_data_bytes(&g->server) / (double)g->messages;
        server_start(&g->server);
        imap_connect(&g->client, server_imap_port(&g->server));
        ms[i] = select_inbox(g);
        if (i + 1 < COLD_TIMES)
            imap_close(&g->client);
    }
    record(g, size, DISK_BYTES, &bytes, 1);
    record(g, size, SELECT_COLD, ms, COLD_TIMES);
}

static void measure_select(struct growth *g, size_t size)
{
    double ms[TIMES];
    for (int i = 0; i < TIMES; i++) {
        imap_command(&g->client, "SELECT Drafts");
        ms[i] = select_inbox(g);
    }
    record(g, size, SELECT_NOBODY, ms, TIMES);
    for (int i = 0; i < TIMES; i++)
        ms[i] = select_inbox(g);
    record(g, size, SELECT_AGAIN, ms, TIMES);
}

static void measure_commands(struct growth *g, size_t size)
{
    double ms[4][TIMES];
    struct imap_client *c = &g->client;
    for (int i = 0; i < TIMES; i++) {
        ms[0][i] = 1000 * imap_timed(c, "FETCH %ld:* (FLAGS)", g->messages - FEW + 1);
        if (c->untagged != FEW)
            fail("FETCH gave %lu responses instead of %d", c->untagged, FEW);
        ms[1][i] = 1000 * imap_timed(c, "SEARCH UNSEEN");
        ms[2][i] = 1000 * imap_timed(c, "STORE %d +FLAGS (\\Flagged)", i + 1);
        ms[3][i] = 1000 * imap_timed(c, "COPY %ld:* Copies", g->messages - FEW + 1);
    }
    for (int i = 0; i < 4; i++)
        record(g, size, (enum what)(FETCH_FLAGS + i), ms[i], TIMES);
    imap_command(c, "STORE 1:%d -FLAGS.SILENT (\\Flagged)", TIMES);
}

static void measure_size(struct growth *g, size_t size)
{
    fill_to(g, g->sizes[size]);
    baseline_report(&report, program_folder(), MACHINE_DISK, 0.5);
    measure_cold(g, size);
    measure_select(g, size);
    measure_commands(g, size);
    imap_close(&g->client);
    measure_additions(g, size);
    baseline_report(&report, program_folder(), MACHINE_DISK, 0.5);
}

/* ---- all ---- */

static void report_growth(const struct growth *g)
{
    char name[96], params[96];
    for (size_t w = 0; w < COUNT; w++) {
        for (size_t i = 1; i < g->size_count; i++) {
            const double now = g->values[i][w], first = g->values[0][w];
            (void)snprintf(name, sizeof name, "growth of %s", measures[w].name);
            (void)snprintf(params, sizeof params, "messages=%ld %s", g->sizes[i],
                           measures[w].params);
            report_value(&report, name, params, measures[w].is_rate ? first / now : now / first,
                         "x", NULL);
        }
    }
}

static void choose_sizes(struct growth *g)
{
    static const long usual[] = {FEW, 10000, 50000, 100000, 200000, 500000, 1000000};
    const long most = program_number("MESSAGES", 200000);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0] && usual[i] <= most; i++)
        g->sizes[g->size_count++] = usual[i];
}

int main(int argc, char **argv)
{
    static struct growth g;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench-growth MOX LIBCOUNTSYNC\n");
        return 2;
    }
    program_start();
    report_open(&report, "growth");
    choose_sizes(&g);
    mails_open(&g.one, 4096, 1, true);
    mails_open(&g.many, 4096, 10000, true);
    server_open(&g.server, argv[1], NULL);
    imap_connect(&g.client, server_imap_port(&g.server));
    imap_command(&g.client, "CREATE Copies");
    imap_close(&g.client);
    for (size_t i = 0; i < g.size_count; i++)
        measure_size(&g, i);
    server_close(&g.server);
    report_growth(&g);
    mails_close(&g.one);
    mails_close(&g.many);
    report_close(&report);
    return 0;
}
