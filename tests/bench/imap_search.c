/* SPDX-License-Identifier: MIT */
/* SEARCH: milliseconds over all messages of a mailbox. */
#include <stdio.h>
#include <string.h>

#include "bench_imap.h"
#include "program.h"

#define ANY (-1) /* hits: whatever they are, the same each time */

static void count_hits(void *user, const char *line, size_t len)
{
    static const char word[] = "* SEARCH";
    if (len < sizeof word - 1 || memcmp(line, word, sizeof word - 1) != 0)
        return;
    for (const char *p = line + sizeof word - 1; (p = memchr(p, ' ', len - (size_t)(p - line)));
         p++)
        (*(long *)user)++;
}

static double search(struct imap_bench *b, const char *key, long *hits)
{
    *hits = 0;
    b->client.line = count_hits;
    b->client.user = hits;
    double took = imap_timed(&b->client, "SEARCH %s", key);
    b->client.line = NULL;
    return took * 1000;
}

static void bench_key(struct imap_bench *b, const struct box *box, const char *name,
                      const char *key, long expected)
{
    double ms[IMAP_BENCH_REPEATS_MAX];
    char params[160];
    long first, hits;
    (void)search(b, key, &first);
    for (long i = 0; i < b->repeats; i++) {
        ms[i] = search(b, key, &hits);
        if (hits != first || (expected != ANY && hits != expected))
            fail("SEARCH %s found %ld of %ld messages", key, hits,
                 expected == ANY ? first : expected);
    }
    (void)snprintf(params, sizeof params, "key=%s messages=%ld content=%s", name, box->messages,
                   box->content);
    report_median(b->report, "SEARCH", params, ms, (size_t)b->repeats, "ms", NULL);
}

void bench_search(struct imap_bench *b, const struct box *box)
{
    const bool known = strcmp(box->content, "generated") == 0;
    const long all = box->messages, each = known ? all / BATCH : ANY; /* mails of one sender */
    const struct {
        const char *name, *key;
        long hits;
    } keys[] = {
        {"ALL", "ALL", all},
        {"UNSEEN", "UNSEEN", all - all / 3 * 2},
        {"SINCE", "SINCE 1-Jan-2020", all},
        {"SENTBEFORE", "SENTBEFORE 15-Jan-2023", ANY},
        {"LARGER", "LARGER 3000", known ? all : ANY},
        {"SUBJECT", "SUBJECT \"Report 4711 about\"", known ? 2 : ANY}, /* it has one answer */
        {"FROM", "FROM \"sender77@remote7.example\"", each},
        {"HEADER", "HEADER Message-Id \"<4711.\"", known ? 1 : ANY},
        {"OR", "OR FROM \"sender77@remote7.example\" FROM \"sender78@remote7.example\"",
         known ? 2 * each : ANY},
        {"BODY", "BODY \"nowhere to be found\"", 0},
        {"BODY-all", "BODY \"Tuesday\"", known ? all : ANY},
        {"TEXT", "TEXT \"nowhere to be found\"", 0},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        bench_key(b, box, keys[i].name, keys[i].key, keys[i].hits);
}
