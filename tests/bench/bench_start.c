/* SPDX-License-Identifier: MIT */
/* Start of the daemon until it takes connections, its end, and the memory of one that idles: with new
 * data, with an empty account, and with one of 100,000 messages. */
#include <stdio.h>
#include <unistd.h>

#include "baseline.h"
#include "imap_client.h"
#include "mails.h"
#include "program.h"
#include "report.h"
#include "server.h"
#include "smtp_load.h"

#define STARTS     20
#define NEW_STARTS 5

static struct report report;

/* The first start makes the folder, keys and certificate. */
static void measure_new(const char *mox)
{
    double ms[NEW_STARTS];
    for (int i = 0; i < NEW_STARTS; i++) {
        struct server s;
        server_open(&s, mox, NULL);
        ms[i] = s.listening_ms;
        server_close(&s);
    }
    report_median(&report, "start with new data", "messages=0", ms, NEW_STARTS, "ms", NULL);
}

static void report_memory(const struct server *s, const char *what, const char *params)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s RSS", what);
    report_value(&report, name, params, (double)server_rss_kib(s) / 1024, "MiB", NULL);
    (void)snprintf(name, sizeof name, "%s PSS", what);
    report_value(&report, name, params, (double)server_pss_kib(s) / 1024, "MiB", NULL);
}

/* What is left once somebody has used the account and gone. */
static void use_account(const struct server *s)
{
    struct imap_client c;
    imap_connect(&c, server_imap_port(s));
    imap_command(&c, "SELECT Inbox");
    imap_close(&c);
}

static void measure(struct server *s, long messages)
{
    double start_ms[STARTS], greeting_ms[STARTS], stop_ms[STARTS];
    char params[64];
    (void)snprintf(params, sizeof params, "messages=%ld", messages);
    for (int i = 0; i < STARTS; i++) {
        double start = seconds_now();
        server_stop(s);
        stop_ms[i] = (seconds_now() - start) * 1000;
        server_start(s);
        start_ms[i] = s->listening_ms;
        greeting_ms[i] = s->greeting_ms;
    }
    report_median(&report, "start", params, start_ms, STARTS, "ms", NULL);
    report_median(&report, "start to greeting", params, greeting_ms, STARTS, "ms", NULL);
    report_median(&report, "stop", params, stop_ms, STARTS, "ms", NULL);
    (void)usleep(500000);
    report_memory(s, "idle", params);
    use_account(s);
    (void)usleep(500000);
    report_memory(s, "after use", params);
}

int main(int argc, char **argv)
{
    static struct server s;
    struct mails mails;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench-start MOX LIBCOUNTSYNC\n");
        return 2;
    }
    program_start();
    report_open(&report, "start");
    const long messages = program_number("MESSAGES", 100000);
    measure_new(argv[1]);
    server_open(&s, argv[1], NULL);
    measure(&s, 0);
    mails_open(&mails, 4096, 10000, true);
    smtp_fill(server_smtp_port(&s), &mails, 0, messages);
    measure(&s, messages);
    server_close(&s);
    mails_close(&mails);
    report_close(&report);
    return 0;
}
