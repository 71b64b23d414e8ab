/* SPDX-License-Identifier: MIT */
/* One large INBOX on the built daemon: what each command takes, and what the server's memory is after it.
 * $MOX_BENCH_MESSAGES says how large, 100,000 by default; made for 1,000,000 too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"
#include "imap_client.h"
#include "memory.h"
#include "program.h"
#include "report.h"
#include "server.h"

#define RANGE    10000
#define EXPUNGED 1000
#define TIMES    100 /* of what is quick */

static struct report report;
static struct server server;
static char params[32];

static void figure(const char *what, double value, const char *unit)
{
    report_value(&report, what, params, value, unit, NULL);
}

/* What the command took, and what it left the server with. */
static void note(const char *what, double seconds)
{
    char memory[96];
    figure(what, seconds * 1e3, "ms");
    (void)snprintf(memory, sizeof memory, "%s: memory after it", what);
    figure(memory, memory_of(server.pid).anonymous, "KiB");
}

static void fill(const char *program, unsigned long messages)
{
    char data[sizeof server.dir + 16], count[32];
    int status = 0;
    (void)snprintf(data, sizeof data, "%s/mox/data", server.dir);
    (void)snprintf(count, sizeof count, "%lu", messages);
    double start = seconds_now();
    pid_t pid = program_fork();
    if (pid == 0) {
        (void)execl(program, program, data, "mox", count, (char *)NULL);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0)
        fail("%s failed", program);
    program_child_gone(pid);
    figure("filling it through the store", (double)messages / (seconds_now() - start),
           "messages/s");
}

/* -- commands -------------------------------------------------------------------------------- */

static void read_it(struct imap_client *c, unsigned long messages)
{
    unsigned long from = messages / 2 - RANGE / 2, to = from + RANGE - 1;
    note("SELECT, cold", imap_timed(c, "SELECT INBOX"));
    double total = 0;
    for (int i = 0; i < TIMES; i++)
        total += imap_timed(c, "SELECT INBOX");
    note("SELECT, warm", total / TIMES);
    note("STATUS", imap_timed(c, "STATUS INBOX (MESSAGES UNSEEN SIZE)"));
    note("FETCH 1:* FLAGS", imap_timed(c, "FETCH 1:* FLAGS"));
    note("FETCH 1:* (UID RFC822.SIZE)", imap_timed(c, "FETCH 1:* (UID RFC822.SIZE)"));
    note("FETCH ENVELOPE of 10,000", imap_timed(c, "FETCH %lu:%lu ENVELOPE", from, to));
    note("FETCH BODY.PEEK[] of 10,000", imap_timed(c, "FETCH %lu:%lu BODY.PEEK[]", from, to));
    note("FETCH of the last", imap_timed(c, "FETCH * (FLAGS ENVELOPE BODYSTRUCTURE)"));
    note("UID SEARCH UNSEEN", imap_timed(c, "UID SEARCH UNSEEN"));
    note("UID SEARCH FLAGGED", imap_timed(c, "UID SEARCH FLAGGED"));
    note("UID SEARCH SUBJECT", imap_timed(c, "UID SEARCH SUBJECT \"number 777\""));
    note("UID SEARCH TEXT", imap_timed(c, "UID SEARCH TEXT nowhere"));
}

static void mark_scattered(struct imap_client *c, unsigned long messages)
{
    for (unsigned long i = 0; i < EXPUNGED; i++)
        imap_command(c, "STORE %lu +FLAGS.SILENT (\\Deleted)", i * (messages / EXPUNGED) + 1);
}

static void change_it(struct imap_client *c, struct imap_client *other, unsigned long messages)
{
    unsigned long from = messages / 2 - RANGE / 2, to = from + RANGE - 1;
    imap_command(other, "SELECT INBOX");
    note("STORE of a flag on 10,000",
         imap_timed(c, "STORE %lu:%lu +FLAGS.SILENT (\\Flagged)", from, to));
    note("NOOP of another session after it", imap_timed(other, "NOOP"));
    note("COPY of 10,000", imap_timed(c, "COPY %lu:%lu Archive", from, to));
    imap_command(c, "STORE %lu:%lu +FLAGS.SILENT (\\Deleted)", from, from + EXPUNGED - 1);
    note("EXPUNGE of 1,000 in a row", imap_timed(c, "EXPUNGE"));
    note("NOOP of another session after it", imap_timed(other, "NOOP"));
    mark_scattered(c, messages - EXPUNGED);
    note("EXPUNGE of 1,000 all over", imap_timed(c, "EXPUNGE"));
    note("NOOP of another session after it", imap_timed(other, "NOOP"));
    note("STORE of a flag on all", imap_timed(c, "STORE 1:* +FLAGS.SILENT (\\Seen)"));
    note("NOOP of another session after it", imap_timed(other, "NOOP"));
}

static void add_to_it(struct imap_client *c)
{
    static const char text[] = "Subject: One more\r\n\r\nHello\r\n";
    double appended[TIMES], accepted[TIMES], told[TIMES];
    for (int i = 0; i < TIMES; i++) {
        double start = seconds_now();
        imap_append(c, "INBOX", text, sizeof text - 1);
        appended[i] = seconds_now() - start;
    }
    note("APPEND, p50", quantile(appended, TIMES, .5));
    struct crowd *idle = crowd_new(server_imap_port(&server), server_smtp_port(&server), false, 1);
    (void)crowd_idle(idle, 1);
    for (int i = 0; i < TIMES; i++) {
        struct crowd_delivery d = crowd_deliver(idle);
        accepted[i] = d.accepted;
        told[i] = d.last;
    }
    crowd_free(idle);
    note("delivery, p50", quantile(accepted, TIMES, .5));
    note("delivery until an idle session is told, p50", quantile(told, TIMES, .5));
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench-mailbox MOX LIBCOUNTHEAP FILL\n");
        return 2;
    }
    program_start();
    unsigned long messages = (unsigned long)program_number("MESSAGES", 100000);
    (void)snprintf(params, sizeof params, "messages=%lu", messages);
    report_open(&report, "mailbox");
    server_open(&server, argv[1], NULL);
    server_stop(&server);
    fill(argv[3], messages);
    server_start(&server);
    figure("start to listening", server.listening_ms, "ms");
    struct imap_client c, other;
    imap_connect(&c, server_imap_port(&server));
    imap_connect(&other, server_imap_port(&server));
    figure("memory before", memory_of(server.pid).anonymous, "KiB");
    read_it(&c, messages);
    change_it(&c, &other, messages);
    add_to_it(&c);
    imap_close(&c);
    imap_close(&other);
    figure("data on disk", (double)server_data_bytes(&server) / (1 << 20), "MiB");
    server_close(&server);
    report_close(&report);
    return 0;
}
