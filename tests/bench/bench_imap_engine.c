/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "imap/talk.h"
#include "mails.h"
#include "program.h"
#include "report.h"

/* Messages per second that the IMAP engine answers, over 10,000 messages in memory, without
 * sockets: what one thread can do at most. Prints; never fails on time. */

#define MESSAGES 10000

static struct report report;
static size_t most_output; /* that ever waited */

static void fill(struct mox_mailstore store, const struct mox_env *env)
{
    struct mails mails;
    mails_open(&mails, 4096, MESSAGES, true);
    char *text = must_malloc(mails_room(&mails));
    for (unsigned i = 0; i < MESSAGES; i++) {
        const size_t len = mails_write(&mails, i, text);
        talk_append(store, env, "Inbox", slice_of("Return-Path: <sender@example.org>\r\n"),
                    slice(text, len), i % 3 == 0 ? MOX_FLAG_SEEN : 0,
                    INT64_C(1767323045000000) + i);
    }
    free(text);
    mails_close(&mails);
}

/* The command as a value of "params", which has no spaces. */
static void name_command(const char *line, char *out)
{
    for (; *line != '\0'; line++)
        *out++ = *line == ' ' ? '+' : *line;
    *out = '\0';
}

static void measure(struct talk *t, const char *line)
{
    enum { ROUNDS = 5 };
    double rate[ROUNDS];
    char command[128], params[160];
    for (int round = 0; round < ROUNDS; round++) {
        const double start = seconds_now();
        talk_ok(t, line);
        rate[round] = MESSAGES / (seconds_now() - start);
        if (t->max_output > most_output)
            most_output = t->max_output;
    }
    name_command(line, command);
    (void)snprintf(params, sizeof params, "command=%s", command);
    report_median(&report, "IMAP engine", params, rate, ROUNDS, "msgs/s", NULL);
}

int main(void)
{
    static const char *const lines[] = {
        "FETCH 1:* (FLAGS)",
        "FETCH 1:* (FLAGS UID RFC822.SIZE)",
        "FETCH 1:* (FLAGS UID RFC822.SIZE INTERNALDATE)",
        "FETCH 1:* (ENVELOPE)",
        "FETCH 1:* (BODYSTRUCTURE)",
        "FETCH 1:* ALL",
        "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From Subject)])",
        "FETCH 1:* (BODY.PEEK[1])",
        "FETCH 1:* (BODY.PEEK[])",
        "SEARCH UNSEEN",
        "SEARCH LARGER 4000",
        "SEARCH FROM \"sender77@\"",
        "SEARCH BODY \"nowhere to be found\"",
        "SEARCH TEXT \"nowhere to be found\"",
        "STORE 1:* +FLAGS (\\Flagged)",
        "STORE 1:* -FLAGS.SILENT (\\Flagged)",
    };
    struct mox_env env;
    struct mox_mailstore store;
    struct talk t;
    program_start();
    report_open(&report, "imap-engine");
    mox_env_system(&env);
    if (mox_memory_mailstore_new(&store, &env) < 0)
        return 1;
    fill(store, &env);
    talk_open(&t, &env, store);
    t.keep = false;
    talk_ok(&t, "SELECT Inbox");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        measure(&t, lines[i]);
    report_value(&report, "output that waited at most", NULL, (double)most_output / 1024, "KiB",
                 NULL);
    talk_close(&t);
    mox_memory_mailstore_free(&store);
    report_close(&report);
    return 0;
}
