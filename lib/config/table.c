/* SPDX-License-Identifier: MIT */
#include "config/table.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"

static int domain_order(const void *name, const void *domain)
{
    return strcmp(name, ((const struct mox_config_domain *)domain)->name);
}

const struct mox_config_domain *mox__config_find_domain(const struct mox_config_domains *d,
                                                        const char *name)
{
    if (d->domains.count == 0)
        return NULL;
    return bsearch(name, d->domains.items, d->domains.count, sizeof *d->domains.items,
                   domain_order);
}

static int account_order(const void *name, const void *account)
{
    return strcmp(name, ((const struct mox_config_account *)account)->name);
}

const struct mox_config_account *mox__config_find_account(const struct mox_config_domains *d,
                                                          const char *name)
{
    if (d->accounts.count == 0)
        return NULL;
    return bsearch(name, d->accounts.items, d->accounts.count, sizeof *d->accounts.items,
                   account_order);
}

static int search_order(const void *key, const void *item)
{
    return strcmp(key, ((const struct address *)item)->canonical);
}

const struct address *mox__config_find_address(const struct address *addresses, size_t count,
                                               const char *canonical)
{
    return count == 0 ? NULL
                      : bsearch(canonical, addresses, count, sizeof *addresses, search_order);
}

const struct sconf_node *mox__config_address_node(const struct bind *b, const struct address *a)
{
    const struct sconf_node *root = &b->tree->root, *n = NULL;
    if (a->alias != NULL) {
        n = mox__sconf_find(mox__sconf_find(root, "Domains"), a->domain->name);
        return mox__sconf_find(mox__sconf_find(n, "Aliases"), a->alias->localpart);
    }
    n = mox__sconf_find(mox__sconf_find(root, "Accounts"), a->account->name);
    return mox__sconf_find(mox__sconf_find(n, "Destinations"), a->destination->address);
}

static unsigned address_line(const struct bind *b, const struct address *a)
{
    const struct sconf_node *n = mox__config_address_node(b, a);
    return n == NULL ? 1 : n->line;
}

/* A name without '@' is an old form: the account's domain is meant. */
static struct mox_slice domain_of(struct bind *b, const struct mox_config_account *account,
                                  const char *address, struct mox_slice domain)
{
    if (strchr(address, '@') != NULL)
        return domain;
    log_line(b->arena->env, MOX_LOG_WARN, "config",
             "destination without domain; write the full address", NULL,
             F_TEXT("account", account->name), F_TEXT("destination", address));
    return slice_of(account->domain);
}

const char *mox__config_canonical(const struct mox_config_domain *domain, struct mox_slice local,
                                  char out[CANONICAL_MAX])
{
    char whole[LOCALPART_CANONICAL_MAX + 1];
    if (!mox__config_localpart_whole(domain, local, whole) ||
        !mox__config_localpart(domain, local, out))
        return "has a local part that is too long or not UTF-8";
    if (strcmp(whole, out) != 0)
        return "has the domain's separator in its local part, so no mail would find it";
    size_t len = strlen(out);
    out[len] = '@';
    memcpy(out + len + 1, domain->name, strlen(domain->name) + 1);
    return NULL;
}

/* The canonical form of a destination, or NULL when something is wrong with it. */
static const char *canonical(struct bind *b, const struct mox_config_domains *d, struct address *a)
{
    const char *text = a->destination->address;
    struct mox_slice local, domain;
    char unquoted[LOCALPART_MAX], name[DOMAIN_NAME_MAX + 1], full[CANONICAL_MAX];
    bool fits = mox__config_split(slice_of(text), unquoted, &local, &domain);
    domain = domain_of(b, a->account, text, domain);
    const char *problem = fits ? mox__config_domain(domain, name)
                               : "has a local part of more than "
                                 "128 bytes";
    if (problem == NULL && (a->domain = mox__config_find_domain(d, name)) == NULL)
        problem = "is of a domain that is not in Domains; add the domain";
    if (problem == NULL)
        problem = mox__config_canonical(a->domain, local, full);
    if (problem != NULL) {
        mox__bind_wrong(b, address_line(b, a), "destination \"%s\" %s", text, problem);
        return NULL;
    }
    const char *copy = mox__arena_strndup(b->arena, full, strlen(full));
    b->no_memory = b->no_memory || copy == NULL;
    return copy;
}

int mox__config_address_order(const void *a, const void *b)
{
    const struct address *x = a, *y = b;
    int order = strcmp(x->canonical, y->canonical);
    if (order != 0 || x->destination == y->destination)
        return order;
    return x->destination < y->destination ? -1 : 1;
}

static void check_duplicates(struct bind *b, const struct mox_config_table *t)
{
    for (size_t i = 1; i < t->count; i++) {
        const struct address *a = &t->addresses[i - 1], *z = &t->addresses[i];
        if (strcmp(a->canonical, z->canonical) != 0)
            continue;
        if (a->alias != NULL)
            mox__bind_wrong(b, address_line(b, z),
                            "address %s is also an alias (line %u); keep one", z->canonical,
                            address_line(b, a));
        else
            mox__bind_wrong(b, address_line(b, z),
                            "address %s is also a destination of account %s (line %u); keep one",
                            z->canonical, a->account->name, address_line(b, a));
    }
}

static size_t count_addresses(const struct mox_config_domains *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->accounts.count; i++)
        count += d->accounts.items[i].destinations.count;
    for (size_t i = 0; i < d->domains.count; i++)
        count += d->domains.items[i].aliases.count;
    return count;
}

static int fill(struct mox_config_table *t, struct bind *b, const struct mox_config_domains *d)
{
    t->addresses = arena_new(b->arena, struct address, count_addresses(d));
    if (t->addresses == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < d->accounts.count; i++) {
        const struct mox_config_account *account = &d->accounts.items[i];
        for (size_t k = 0; k < account->destinations.count; k++) {
            struct address *a = &t->addresses[t->count];
            *a = (struct address){.account = account,
                                  .destination = &account->destinations.items[k]};
            a->canonical = canonical(b, d, a);
            t->count += a->canonical != NULL;
        }
    }
    if (t->count > 1)
        qsort(t->addresses, t->count, sizeof *t->addresses, mox__config_address_order);
    return b->no_memory ? MOX_ENOMEM : MOX_OK;
}

static void check_postmaster(struct bind *b, const struct mox_config_static *m,
                             const struct mox_config_table *t)
{
    const struct sconf_node *node = mox__sconf_find(&b->tree->root, "Postmaster");
    if (node == NULL)
        return; /* that was reported */
    if (t->postmaster == NULL)
        mox__bind_wrong(b, mox__bind_line(node, "Account"),
                        "the postmaster's account \"%s\" is not in Accounts of domains.conf; add "
                        "it, or name another",
                        m->postmaster.account);
    if (*m->postmaster.mailbox == '\0')
        mox__bind_wrong(b, mox__bind_line(node, "Mailbox"),
                        "the postmaster's mailbox is empty; write Inbox or another");
}

int mox__config_table(struct mox_config_table *table, struct bind *mox,
                      const struct mox_config_static *m, struct bind *domains,
                      const struct mox_config_domains *d)
{
    *table =
        (struct mox_config_table){.postmaster = mox__config_find_account(d, m->postmaster.account)};
    int rc = fill(table, domains, d);
    if (rc == MOX_OK)
        rc = mox__config_aliases(table, domains, d);
    if (rc == MOX_OK)
        rc = mox__config_reports(table, domains, d);
    if (rc == MOX_OK)
        rc = mox__config_expressions(table, domains, d);
    if (rc < 0)
        return rc;
    check_duplicates(domains, table);
    check_postmaster(mox, m, table);
    return mox->no_memory || domains->no_memory ? MOX_ENOMEM : MOX_OK;
}

void mox__config_table_free(struct mox_config_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        mox_rulesets_free(table->addresses[i].rulesets);
    for (size_t i = 0; i < table->made_flag_count; i++)
        mox_junk_flags_free(table->made_flags[i]);
}
