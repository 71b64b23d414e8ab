/* SPDX-License-Identifier: MIT */
#include <limits.h>

#include "base/text.h"
#include "config/tables.h"

/* More words than a long message has, and few enough to be counted. */
#define WORDS_MAX 1000000
/* A word for the subject that is good for longer is as good as none. */
#define PERIOD_MAX_US (INT64_C(366) * 24 * 3600 * 1000000)

void mox__check_period(struct bind *b, const struct sconf_node *node, void *value)
{
    int64_t us = *(const int64_t *)value;
    if (us < 0 || us > PERIOD_MAX_US)
        mox__bind_wrong(b, node->line,
                        "Period is from 0s, which is never, to a year; write for example "
                        "12h");
}

/* NaN is in no range. */
static void check_range(struct bind *b, const struct sconf_node *node, double value, double max)
{
    char name[SCONF_QUOTED_MAX];
    if (!(value >= 0 && value <= max))
        mox__bind_wrong(b, node->line, "%s is out of range; write a number from 0 to %g",
                        mox__sconf_quote(node->key, name), max);
}

void mox__check_probability(struct bind *b, const struct sconf_node *node, void *value)
{
    check_range(b, node, *(const double *)value, 1);
}

void mox__check_half(struct bind *b, const struct sconf_node *node, void *value)
{
    check_range(b, node, *(const double *)value, 0.5);
}

void mox__check_words(struct bind *b, const struct sconf_node *node, void *value)
{
    check_range(b, node, *(const uint32_t *)value, WORDS_MAX);
}

/* Completes the parameters: their size, and what is learnt when nothing is said of it. */
void mox__check_junk_filter(struct bind *b, const struct sconf_node *node, void *value)
{
    struct mox_config_junk_filter *filter = value;
    struct mox_junk_params *p = &filter->params;
    (void)b;
    (void)node;
    p->size = sizeof *p;
    p->onegrams = p->onegrams || (!p->twograms && !p->threegrams);
}

void mox__check_account(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_account *account = value;
    if (*account->introbox != '\0' && strcmp(account->introbox, account->rejects_mailbox) == 0)
        mox__bind_wrong(b, mox__bind_line(node, "Introbox"),
                        "Introbox and RejectsMailbox are the same mailbox; use two");
}
