/* SPDX-License-Identifier: MIT */
/* SELECT: the first after a start of the server; of a mailbox that nobody has open; and of one that is
 * open already, which is what a second client and a returning one meet. */
#include <stdio.h>

#include "bench_imap.h"
#include "program.h"

static double select_ms(struct imap_client *c, const struct box *box)
{
    return 1000 * imap_select(c, box->name, box->messages);
}

static double cold(struct imap_bench *b, const struct box *box)
{
    server_stop(b->server);
    server_start(b->server);
    bench_reconnect(b);
    imap_command(&b->client, "NOOP");
    return select_ms(&b->client, box);
}

void bench_select(struct imap_bench *b, const struct box *box)
{
    enum { TIMES = 100, COLD_TIMES = 5 };
    double times[TIMES];
    char params[64];
    struct imap_client second;
    (void)snprintf(params, sizeof params, "messages=%ld content=%s", box->messages, box->content);
    imap_close(&b->client);
    for (int i = 0; i < COLD_TIMES; i++) {
        times[i] = cold(b, box);
        if (i + 1 < COLD_TIMES)
            imap_close(&b->client);
    }
    report_median(b->report, "SELECT cold", params, times, COLD_TIMES, "ms", NULL);
    for (int i = 0; i < TIMES; i++) {
        imap_command(&b->client, "SELECT Inbox");
        times[i] = select_ms(&b->client, box);
    }
    report_median(b->report, "SELECT nobody in it", params, times, TIMES, "ms", NULL);
    for (int i = 0; i < TIMES; i++)
        times[i] = select_ms(&b->client, box);
    report_median(b->report, "SELECT again", params, times, TIMES, "ms", NULL);
    imap_connect(&second, server_imap_port(b->server));
    for (int i = 0; i < TIMES; i++) {
        imap_command(&second, "SELECT Inbox");
        times[i] = select_ms(&second, box);
    }
    imap_close(&second);
    report_median(b->report, "SELECT by another", params, times, TIMES, "ms", NULL);
}
