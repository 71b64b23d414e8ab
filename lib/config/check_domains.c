/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "config/domain.h"
#include "config/tables.h"

#define ACCOUNT_NAME_MAX 64
/* Of a text that clients show to their users. */
#define TOLD_MAX 256

static bool is_printable(struct mox_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < ' ' || text.data[i] > '~')
            return false;
    return true;
}

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

/* Kept in its normal form. */
void mox__check_domain_or_none(struct bind *b, const struct sconf_node *node, void *value)
{
    const char **name = value;
    char normal[DOMAIN_NAME_MAX + 1], quoted[SCONF_QUOTED_MAX];
    if (**name == '\0')
        return;
    const char *problem = mox__config_domain(slice_of(*name), normal);
    if (problem != NULL) {
        mox__bind_wrong(b, node->line, "domain %s %s", mox__sconf_quote(slice_of(*name), quoted),
                        problem);
        return;
    }
    const char *copy = mox__arena_strndup(b->arena, normal, strlen(normal));
    b->no_memory = b->no_memory || copy == NULL;
    if (copy != NULL)
        *name = copy;
}

/* RFC 7489 §7.1 and RFC 8460 §3 put it into a mailto URI of a TXT record. */
void mox__check_reports_localpart(struct bind *b, const struct sconf_node *node, void *value)
{
    struct mox_slice localpart = slice_of(*(const char *const *)value);
    if (localpart.len == 0)
        mox__bind_wrong(b, node->line, "the local part is empty; write for example dmarcreports");
    else if (localpart.len > LOCALPART_MAX || !is_printable(localpart) ||
             memchr(localpart.data, '@', localpart.len) != NULL)
        mox__bind_wrong(b, node->line,
                        "a local part for reports is at most %d printable characters of "
                        "ASCII without @",
                        LOCALPART_MAX);
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
    if (text.len > TOLD_MAX || !is_printable(text))
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
