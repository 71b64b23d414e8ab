/* SPDX-License-Identifier: MIT */
#include "config/tables.h"

/* A network can do no less than one address in it: a smaller number is a mistake, or the default next
 * to a number that somebody has raised. */
static void check_wider(struct bind *b, const struct sconf_node *node, const char *narrow,
                        int64_t narrow_number, const char *wide, int64_t wide_number)
{
    if (narrow_number < 0 || wide_number < 0 || wide_number >= narrow_number)
        return;
    mox__bind_wrong(b, mox__bind_line(node, wide),
                    "%s is %lld, less than the %lld of %s, which is in it; raise %s", wide,
                    (long long)wide_number, (long long)narrow_number, narrow, wide);
}

void mox__check_limit(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_limit *l = value;
    static const char *const names[] = {"Address", "Network", "WideNetwork"};
    const int64_t numbers[] = {l->address, l->network, l->wide_network};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (numbers[i] < -1)
            mox__bind_wrong(b, mox__bind_line(node, names[i]),
                            "%s is %lld; write -1 for no limit, or a number of at least 1",
                            names[i], (long long)numbers[i]);
    check_wider(b, node, names[0], l->address, names[1], l->network);
    check_wider(b, node, names[1], l->network, names[2], l->wide_network);
    if (l->network < 0)
        check_wider(b, node, names[0], l->address, names[2], l->wide_network);
}
