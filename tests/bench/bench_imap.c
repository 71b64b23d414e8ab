/* SPDX-License-Identifier: MIT */
/* IMAP through the built daemon, on loopback: every command that people wait for, on mailboxes of 10,000
 * and 100,000 messages. One client at a time, except for APPEND. */
#include "bench_imap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "imap_load.h"
#include "program.h"

#define MACHINE_TIME     0.5
#define FILL_CONNECTIONS 50

static struct report report;

void bench_reconnect(struct imap_bench *b)
{
    imap_connect(&b->client, server_imap_port(b->server));
}

static void take_messages(void *user, const char *line, size_t len)
{
    static const char word[] = "MESSAGES ";
    const char *at = memmem(line, len, word, sizeof word - 1);
    if (at != NULL)
        *(long *)user = strtol(at + sizeof word - 1, NULL, 10);
}

void bench_expect_messages(struct imap_bench *b, const char *mailbox, long messages)
{
    long got = -1;
    b->client.line = take_messages;
    b->client.user = &got;
    imap_command(&b->client, "STATUS %s (MESSAGES)", mailbox);
    b->client.line = NULL;
    if (got != messages)
        fail("%s has %ld messages instead of %ld", mailbox, got, messages);
}

/* Two of three are seen, as in an old mailbox. */
static void fill(struct imap_bench *b, const struct box *box, const struct mails *mails)
{
    struct imap_load l = {.port = server_imap_port(b->server),
                          .connections = FILL_CONNECTIONS,
                          .messages = box->messages,
                          .mailbox = box->name,
                          .mails = mails};
    imap_command(&b->client, "CREATE %s", box->name);
    imap_load_run(&l);
    imap_load_free(&l);
    bench_expect_messages(b, box->name, box->messages);
    imap_command(&b->client, "SELECT %s", box->name);
    imap_command(&b->client, "STORE 1:%ld +FLAGS.SILENT (\\Seen)", box->messages / 3 * 2);
    (void)printf("  filled %s with %ld messages of %s mail\n", box->name, box->messages,
                 box->content);
    (void)fflush(stdout);
}

static void look_at_machine(void)
{
    baseline_report(&report, program_folder(), MACHINE_DISK | MACHINE_NETWORK | MACHINE_MEMORY,
                    MACHINE_TIME);
}

static void measure(struct imap_bench *b, const struct box *box)
{
    bench_select(b, box);
    bench_fetch(b, box);
    bench_search(b, box);
}

static void run(struct imap_bench *b)
{
    const struct box small = {"Small", "generated", BATCH};
    const struct box large = {"Large", "generated", program_number("MESSAGES", 100000)};
    const struct box real = {"Real", "real", BATCH};
    struct mails mails, real_mails;
    if (large.messages < BATCH)
        fail("MOX_BENCH_MESSAGES is %d or more", BATCH);
    mails_open(&mails, 4096, BATCH, true);
    fill(b, &small, &mails);
    mails.series++;
    fill(b, &large, &mails);
    measure(b, &small);
    measure(b, &large);
    if (mails_open_real(&real_mails)) {
        fill(b, &real, &real_mails);
        measure(b, &real);
    }
    look_at_machine();
    bench_changes(b, &small);
    bench_changes(b, &large);
    bench_single(b, &small);
    bench_single(b, &large);
    bench_mailboxes(b);
    mails_close(&mails);
    mails_close(&real_mails);
}

int main(int argc, char **argv)
{
    static struct server server;
    static struct imap_bench b = {.report = &report, .server = &server};
    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench-imap MOX LIBCOUNTSYNC\n");
        return 2;
    }
    program_start();
    report_open(&report, "imap");
    b.repeats = program_number("REPEATS", 3);
    if (b.repeats < 1 || b.repeats > IMAP_BENCH_REPEATS_MAX)
        fail("MOX_BENCH_REPEATS is a number from 1 to %d", IMAP_BENCH_REPEATS_MAX);
    look_at_machine();
    server_open(&server, argv[1], argv[2]);
    bench_append(&b);
    bench_reconnect(&b);
    run(&b);
    imap_close(&b.client);
    server_close(&server);
    look_at_machine();
    report_close(&report);
    return 0;
}
