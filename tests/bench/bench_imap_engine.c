/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "imap/talk.h"

/* Messages per second that the IMAP engine answers, over 10,000 messages in memory, without
 * sockets: what one thread can do at most. Prints; never fails on time. */

#define MESSAGES   10000
#define BODY_LINES 60

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* About 4 kB of mail with two parts, each message a little different. */
static size_t compose(char *out, size_t max, unsigned n)
{
    size_t len = (size_t)snprintf(
        out, max,
        "Received: from mail%u.example.org by mx.example.net with ESMTPS id %08x\r\n"
        "        for <user@example.net>; Fri, 2 Jan 2026 03:04:05 +0000\r\n"
        "From: Sender Number %u <sender%u@example.org>\r\n"
        "To: The User <user@example.net>, Others <list-%u@example.com>\r\n"
        "Cc: somebody@example.net\r\n"
        "Subject: [list] Report number %u about things that happened\r\n"
        "Date: Fri, 2 Jan 2026 %02u:%02u:00 +0100\r\n"
        "Message-ID: <%08x.%u@mail.example.org>\r\n"
        "In-Reply-To: <%08x.0@mail.example.org>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/alternative; boundary=\"b%u\"\r\n"
        "\r\n"
        "--b%u\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n",
        n % 7, n * 2654435761U, n % 50, n % 50, n % 5, n, n % 24, n % 60, n * 40503U, n, n, n, n);
    for (int i = 0; i < BODY_LINES / 2; i++)
        len +=
            (size_t)snprintf(out + len, max - len,
                             "Line %d of the text, which tells of caf=C3=A9s and of %u.\r\n", i, n);
    len += (size_t)snprintf(
        out + len, max - len,
        "--b%u\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>\r\n", n);
    for (int i = 0; i < BODY_LINES / 2; i++)
        len += (size_t)snprintf(out + len, max - len,
                                "<p>Line %d of the text, which tells of cafes and of %u.</p>\r\n",
                                i, n);
    return len + (size_t)snprintf(out + len, max - len, "</body></html>\r\n--b%u--\r\n", n);
}

static void fill(struct mox_mailstore store, const struct mox_env *env)
{
    static char text[32768];
    for (unsigned i = 0; i < MESSAGES; i++) {
        const size_t len = compose(text, sizeof text, i);
        talk_append(store, env, "Inbox", slice_of("Return-Path: <sender@example.org>\r\n"),
                    slice(text, len), i % 3 == 0 ? MOX_FLAG_SEEN : 0,
                    INT64_C(1767323045000000) + i);
    }
}

static void measure(struct talk *t, const char *line)
{
    double best = 1e9;
    size_t most = 0;
    for (int round = 0; round < 5; round++) {
        const double start = now();
        talk_ok(t, line);
        const double took = now() - start;
        if (took < best)
            best = took;
        if (t->max_output > most)
            most = t->max_output;
    }
    printf("%-52s %9.0f messages/s  %7.2f ms  %4u runs  %4zu KiB pending\n", line, MESSAGES / best,
           best * 1e3, t->runs, most / 1024);
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
        "SEARCH FROM \"sender7@\"",
        "SEARCH BODY \"tells of nothing\"",
        "SEARCH TEXT \"nowhere to be found\"",
        "STORE 1:* +FLAGS (\\Flagged)",
        "STORE 1:* -FLAGS.SILENT (\\Flagged)",
    };
    struct mox_env env;
    struct mox_mailstore store;
    struct talk t;
    mox_env_system(&env);
    if (mox_memory_mailstore_new(&store, &env) < 0)
        return 1;
    fill(store, &env);
    talk_open(&t, &env, store);
    t.keep = false;
    talk_ok(&t, "SELECT Inbox");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        measure(&t, lines[i]);
    talk_close(&t);
    mox_memory_mailstore_free(&store);
    return 0;
}
