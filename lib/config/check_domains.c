/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "config/domain.h"
#include "config/tables.h"

#define ACCOUNT_NAME_MAX 64
/* Of a text that clients show to their users. */
#define TOLD_MAX 256

static void check_domain_name(struct bind *b, unsigned line, struct mox_slice name)
{
    char normal[DOMAIN_NAME_MAX + 1], quoted[SCONF_QUOTED_MAX];
    const char *problem = mox__config_domain(name, normal);
    if (problem != NULL)
        mox__bind_wrong(b, line, "domain %s %s", mox__sconf_quote(name, quoted), problem);
    else if (!mox__slice_is(name, normal))
        mox__bind_wrong(b, line, "domain %s is not in its normal form; write \"%s\"",
                        mox__sconf_quote(name, quoted), normal);
}

void mox__check_domain_names(struct bind *b, const struct sconf_node *node, void *value)
{
    (void)value;
    for (const struct sconf_node *n = node->first; n != NULL; n = n->next)
        check_domain_name(b, n->line, n->key);
}

void mox__check_account_domain(struct bind *b, const struct sconf_node *node, void *value)
{
    check_domain_name(b, node->line, slice_of(*(const char *const *)value));
}

/* An account's name is that of its folder. */
static const char *account_name_problem(struct mox_slice name)
{
    if (name.len > ACCOUNT_NAME_MAX)
        return "is longer than 64 bytes";
    if (name.data[0] == '.' || name.data[0] == '-')
        return "starts with '.' or '-'";
    for (size_t i = 0; i < name.len; i++)
        if (!is_alpha(name.data[i]) && !is_digit(name.data[i]) &&
            memchr("-_.", name.data[i], 3) == NULL)
            return "has a character other than letters, digits, '-', '_' and '.'";
    return NULL;
}

void mox__check_account_names(struct bind *b, const struct sconf_node *node, void *value)
{
    (void)value;
    char quoted[SCONF_QUOTED_MAX];
    for (const struct sconf_node *n = node->first; n != NULL; n = n->next) {
        const char *problem = account_name_problem(n->key);
        if (problem != NULL)
            mox__bind_wrong(b, n->line, "account name %s %s; it is the name of the account's folder",
                            mox__sconf_quote(n->key, quoted), problem);
    }
}

void mox__check_told(struct bind *b, const struct sconf_node *node, void *value)
{
    struct mox_slice text = slice_of(*(const char *const *)value);
    bool fit = text.len <= TOLD_MAX;
    for (size_t i = 0; i < text.len; i++)
        fit = fit && text.data[i] >= ' ' && text.data[i] <= '~';
    if (!fit)
        mox__bind_wrong(b, node->line, "the text is part of replies; write at most 256 printable "
                        "characters of ASCII");
}

void mox__check_domain(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_domain *d = value;
    const struct mox_config_strings *list = &d->localpart_catchall_separators;
    unsigned line = mox__bind_line(node, "LocalpartCatchallSeparators");
    if (list->count > 0 && *d->localpart_catchall_separator != '\0')
        mox__bind_wrong(b, line, "LocalpartCatchallSeparator and LocalpartCatchallSeparators exclude "
                        "each other; remove one");
    for (size_t i = 0; i < list->count; i++)
        if (*list->items[i] == '\0')
            mox__bind_wrong(b, line, "an empty separator; remove it");
}
