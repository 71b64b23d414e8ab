/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "config/table.h"
#include "config/tables.h"
#include "delivery/regexp.h"

/* Regular expressions: each by itself while the file is read, so that a mistake is told with its line;
 * then what is matched with them, for as long as the configuration lives. */

static void check(struct bind *b, unsigned line, const char *what, const char *pattern,
                  enum regexp_case how)
{
    struct regexp *r = NULL;
    struct mox_error err;
    int rc = mox__regexp_new(&r, b->arena->env, pattern, how, &err);
    mox__regexp_free(r);
    b->no_memory = b->no_memory || rc == MOX_ENOMEM;
    if (rc < 0 && rc != MOX_ENOMEM)
        mox__bind_wrong(b, line, "%s%s", what, err.text);
}

void mox__check_regexp(struct bind *b, const struct sconf_node *node, void *value)
{
    const char *pattern = *(const char *const *)value;
    if (*pattern != '\0')
        check(b, node->line, "", pattern, REGEXP_ANY_CASE);
}

void mox__check_header_regexps(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct array *pairs = value;
    const struct mox_ruleset_header *items = pairs->items;
    for (size_t i = 0; i < pairs->count && !b->no_memory; i++) {
        unsigned line = mox__bind_line(node, items[i].name);
        check(b, line, "name of the header: ", items[i].name, REGEXP_LOWER_CASE);
        check(b, line, "value of the header: ", items[i].value, REGEXP_LOWER_CASE);
    }
}

static int make_rulesets(struct bind *b, struct address *a)
{
    size_t bad = 0;
    const struct mox_config_destination *d = a->destination;
    if (d == NULL || d->rulesets.count == 0)
        return MOX_OK;
    return mox_rulesets_new(&a->rulesets, b->arena->env, d->rulesets.items, d->rulesets.count, &bad,
                            NULL);
}

/* Nearly all accounts say the same, so looking among a few of those made is enough. */
#define SHARED_MAX 32

static bool say_same(const struct mox_junk_flags_config *a, const struct mox_junk_flags_config *b)
{
    return strcmp(a->junk_regexp, b->junk_regexp) == 0 &&
           strcmp(a->neutral_regexp, b->neutral_regexp) == 0 &&
           strcmp(a->notjunk_regexp, b->notjunk_regexp) == 0;
}

/* Those that another account has already, or NULL. `made` has the accounts that they were made for. */
static struct mox_junk_flags *find_made(const struct mox_config_table *t,
                                        const struct mox_config_account *const *made,
                                        const struct mox_config_account *account)
{
    for (size_t i = 0; i < t->made_flag_count && i < SHARED_MAX; i++)
        if (say_same(&made[i]->automatic_junk_flags, &account->automatic_junk_flags))
            return t->made_flags[i];
    return NULL;
}

static int make_junk_flags(struct mox_config_table *t, struct bind *b,
                           const struct mox_config_domains *d)
{
    const struct mox_config_account *made[SHARED_MAX];
    int rc = MOX_OK;
    t->junk_flags = arena_new(b->arena, struct mox_junk_flags *, d->accounts.count);
    t->made_flags = arena_new(b->arena, struct mox_junk_flags *, d->accounts.count);
    if (t->junk_flags == NULL || t->made_flags == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < d->accounts.count && rc == MOX_OK; i++) {
        const struct mox_config_account *account = &d->accounts.items[i];
        if (!account->automatic_junk_flags.enabled)
            continue;
        t->junk_flags[i] = find_made(t, made, account);
        if (t->junk_flags[i] != NULL)
            continue;
        rc = mox_junk_flags_new(&t->junk_flags[i], b->arena->env, &account->automatic_junk_flags,
                                NULL);
        if (rc < 0)
            break;
        if (t->made_flag_count < SHARED_MAX)
            made[t->made_flag_count] = account;
        t->made_flags[t->made_flag_count++] = t->junk_flags[i];
    }
    return rc;
}

int mox__config_expressions(struct mox_config_table *t, struct bind *b,
                            const struct mox_config_domains *d)
{
    int rc = MOX_OK;
    if (b->failed) /* maybe for one of them; what is wrong is told already */
        return MOX_OK;
    for (size_t i = 0; i < t->count && rc == MOX_OK; i++)
        rc = make_rulesets(b, &t->addresses[i]);
    return rc == MOX_OK ? make_junk_flags(t, b, d) : rc;
}
