/* SPDX-License-Identifier: MIT */
#ifndef BENCH_IMAP_H
#define BENCH_IMAP_H

#include "imap_client.h"
#include "mails.h"
#include "report.h"
#include "server.h"

/* What the parts of bench_imap share: one server with one account, and mailboxes of known content. */
struct imap_bench {
    struct report *report;
    struct server *server;
    struct imap_client client; /* logged in, with a mailbox selected */
    long repeats;
};

/* A mailbox that stands while the bench runs. */
struct box {
    const char *name;
    const char *content; /* "generated" or "real" */
    long messages;
};

/* How many messages the commands work on that work on many. */
#define BATCH 10000

#define IMAP_BENCH_REPEATS_MAX 15

/* After a change that ended the connection, or a restart of the server. */
void bench_reconnect(struct imap_bench *b);
/* STATUS says this, or the program fails. */
void bench_expect_messages(struct imap_bench *b, const char *mailbox, long messages);

void bench_append(struct imap_bench *b);
void bench_select(struct imap_bench *b, const struct box *box);
void bench_fetch(struct imap_bench *b, const struct box *box);
void bench_search(struct imap_bench *b, const struct box *box);
void bench_changes(struct imap_bench *b, const struct box *box);
void bench_single(struct imap_bench *b, const struct box *box);
void bench_mailboxes(struct imap_bench *b);

#endif
