/* SPDX-License-Identifier: MIT */
/* FETCH of each item of 10,000 messages: messages per second, and where bytes decide, how near that is to what
 * loopback carries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_imap.h"
#include "program.h"

/* From so many bytes per message on they are a figure too. */
#define LONG_RESPONSE 1000

static const char *const items[] = {
    "FLAGS",
    "FLAGS UID RFC822.SIZE",
    "INTERNALDATE",
    "ENVELOPE",
    "BODY",
    "BODYSTRUCTURE",
    "BODY.PEEK[HEADER]",
    "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)]",
    "RFC822.HEADER",
    "BODY.PEEK[1]",
    "BODY.PEEK[]<0.1000>",
    "BODY.PEEK[]",
};

static void add_size(void *user, const char *line, size_t len)
{
    static const char word[] = "RFC822.SIZE ";
    const char *at = memmem(line, len, word, sizeof word - 1);
    if (at != NULL)
        *(uint64_t *)user += strtoull(at + sizeof word - 1, NULL, 10);
}

/* The bytes of the newest messages, as the server says. */
static uint64_t sizes(struct imap_bench *b, const struct box *box)
{
    uint64_t sum = 0;
    b->client.line = add_size;
    b->client.user = &sum;
    imap_command(&b->client, "FETCH %ld:%ld (RFC822.SIZE)", box->messages - BATCH + 1,
                 box->messages);
    b->client.line = NULL;
    return sum;
}

static double fetch(struct imap_bench *b, const struct box *box, const char *item)
{
    double took = imap_timed(&b->client, "FETCH %ld:%ld (%s)", box->messages - BATCH + 1,
                             box->messages, item);
    if (b->client.untagged != BATCH)
        fail("FETCH %s gave %lu responses instead of %d", item, b->client.untagged, BATCH);
    return took;
}

/* The item as a value of "params", which has no spaces. */
static void name_item(const char *item, char *out)
{
    for (; *item != '\0'; item++)
        *out++ = *item == ' ' ? '+' : *item;
    *out = '\0';
}

static void bench_item(struct imap_bench *b, const struct box *box, const char *item)
{
    double rate[IMAP_BENCH_REPEATS_MAX], bytes[IMAP_BENCH_REPEATS_MAX];
    char name[64], params[160];
    name_item(item, name);
    (void)snprintf(params, sizeof params, "item=%s messages=%ld content=%s", name, box->messages,
                   box->content);
    (void)fetch(b, box, item);
    for (long i = 0; i < b->repeats; i++) {
        double took = fetch(b, box, item);
        rate[i] = BATCH / took;
        bytes[i] = (double)b->client.bytes / took / 1e6;
    }
    report_median(b->report, "FETCH", params, rate, (size_t)b->repeats, "msgs/s", NULL);
    if (b->client.bytes >= (uint64_t)BATCH * LONG_RESPONSE)
        report_median(b->report, "FETCH bytes", params, bytes, (size_t)b->repeats, "MB/s",
                      "loopback");
}

/* With the server just started; the system still has the files in memory. */
static void bench_cold(struct imap_bench *b, const struct box *box, const char *item)
{
    char params[96];
    imap_close(&b->client);
    server_stop(b->server);
    server_start(b->server);
    bench_reconnect(b);
    imap_command(&b->client, "SELECT %s", box->name);
    (void)snprintf(params, sizeof params, "item=%s messages=%ld content=%s", item, box->messages,
                   box->content);
    report_value(b->report, "FETCH cold", params, BATCH / fetch(b, box, item), "msgs/s", NULL);
}

void bench_fetch(struct imap_bench *b, const struct box *box)
{
    bench_cold(b, box, "ENVELOPE");
    bench_cold(b, box, "BODY.PEEK[]");
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        bench_item(b, box, items[i]);
    const uint64_t expected = sizes(b, box);
    (void)fetch(b, box, "BODY.PEEK[]");
    if (b->client.literal_bytes != expected)
        fail("BODY.PEEK[] gave %llu bytes of %llu", (unsigned long long)b->client.literal_bytes,
             (unsigned long long)expected);
}
