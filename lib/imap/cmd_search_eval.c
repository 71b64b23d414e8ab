/* SPDX-License-Identifier: MIT */
#include "imap/cmd_search.h"

#define US_PER_DAY (INT64_C(86400) * 1000000)

/* The logic of three values: what a costly key says is not asked while the others decide. */

static enum search_verdict eval_not(const struct search_node *n, struct search_context *x)
{
    const enum search_verdict v = mox__search_eval(n->children, x);
    return v == SEARCH_UNKNOWN ? v : v == SEARCH_NO ? SEARCH_YES : SEARCH_NO;
}

/* AND ends at the first no, OR at the first yes. */
static enum search_verdict eval_list(const struct search_node *n, struct search_context *x,
                                     enum search_verdict end)
{
    enum search_verdict all = end == SEARCH_NO ? SEARCH_YES : SEARCH_NO;
    for (const struct search_node *c = n->children; c != NULL; c = c->next) {
        const enum search_verdict v = mox__search_eval(c, x);
        if (v == end)
            return end;
        if (v == SEARCH_UNKNOWN)
            all = SEARCH_UNKNOWN;
    }
    return all;
}

enum search_verdict mox__search_eval(const struct search_node *n, struct search_context *x)
{
    switch (n->kind) {
    case SEARCH_AND:
        return eval_list(n, x, SEARCH_NO);
    case SEARCH_OR:
        return eval_list(n, x, SEARCH_YES);
    case SEARCH_NOT:
        return eval_not(n, x);
    case SEARCH_LEAF:
        break;
    }
    if (n->level > x->level)
        return SEARCH_UNKNOWN;
    return n->test(n, x) ? SEARCH_YES : SEARCH_NO;
}

bool mox__search_all(const struct search_node *n, struct search_context *x)
{
    (void)n;
    (void)x;
    return true;
}

bool mox__search_flags(const struct search_node *n, struct search_context *x)
{
    return (x->row->flags & n->arg.flags.mask) == n->arg.flags.value;
}

bool mox__search_keyword(const struct search_node *n, struct search_context *x)
{
    return (x->row->keywords & n->arg.keyword.bit) != 0;
}

bool mox__search_rows(const struct search_node *n, struct search_context *x)
{
    return mox__row_set_has(&n->arg.rows, x->index);
}

bool mox__search_larger(const struct search_node *n, struct search_context *x)
{
    return x->row->bytes > n->arg.bytes;
}

bool mox__search_smaller(const struct search_node *n, struct search_context *x)
{
    return x->row->bytes < n->arg.bytes;
}

/* INTERNALDATE is told in UTC, so its day is that of UTC (RFC 9051 §6.4.4: "disregarding time and
 * timezone"). */
static int64_t received_day(const struct search_context *x)
{
    const int64_t us = x->data->received_us;
    return us / US_PER_DAY - (us % US_PER_DAY < 0);
}

bool mox__search_before(const struct search_node *n, struct search_context *x)
{
    return received_day(x) < n->arg.day;
}

bool mox__search_on(const struct search_node *n, struct search_context *x)
{
    return received_day(x) == n->arg.day;
}

bool mox__search_since(const struct search_node *n, struct search_context *x)
{
    return received_day(x) >= n->arg.day;
}
