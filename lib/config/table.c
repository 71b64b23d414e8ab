/* SPDX-License-Identifier: MIT */
#include "config/table.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "config/domain.h"

static int domain_order(const void *name, const void *domain)
{
    return strcmp(name, ((const struct mox_config_domain *)domain)->name);
}

static const struct mox_config_domain *find_domain(const struct mox_config_domains *d,
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

static const struct mox_config_account *find_account(const struct mox_config_domains *d,
                                                     const char *name)
{
    if (d->accounts.count == 0)
        return NULL;
    return bsearch(name, d->accounts.items, d->accounts.count, sizeof *d->accounts.items,
                   account_order);
}

const struct mox_config_account *mox_config_account(const struct mox_config *config,
                                                    const char *name)
{
    return find_account(config->domains, name);
}

static unsigned destination_line(const struct bind *b, const struct mox_config_account *account,
                                 const char *address)
{
    const struct sconf_node *accounts = mox__sconf_find(&b->tree->root, "Accounts");
    const struct sconf_node *n = mox__sconf_find(accounts, account->name);
    n = mox__sconf_find(mox__sconf_find(n, "Destinations"), address);
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

static bool contains(struct mox_slice text, const char *what)
{
    return *what != '\0' && text.len > 0 && memmem(text.data, text.len, what, strlen(what)) != NULL;
}

static bool has_separator(const struct mox_config_domain *domain, struct mox_slice localpart)
{
    bool found = contains(localpart, domain->localpart_catchall_separator);
    for (size_t i = 0; i < domain->localpart_catchall_separators.count; i++)
        found = found || contains(localpart, domain->localpart_catchall_separators.items[i]);
    return found;
}

/* The canonical form of a destination, or NULL when something is wrong with it. */
static const char *canonical(struct bind *b, const struct mox_config_account *account,
                             const struct mox_config_domains *d, struct address *a)
{
    const char *text = a->destination->address;
    unsigned line = 0;
    struct mox_slice local, domain;
    char unquoted[LOCALPART_MAX], name[DOMAIN_NAME_MAX + 1];
    char full[LOCALPART_CANONICAL_MAX + DOMAIN_NAME_MAX + 2];
    bool fits = mox__config_split(slice_of(text), unquoted, &local, &domain);
    domain = domain_of(b, account, text, domain);
    const char *problem = fits ? mox__config_domain(domain, name) : "has a local part of more than "
                                                                    "128 bytes";
    if (problem == NULL && (a->domain = find_domain(d, name)) == NULL)
        problem = "is of a domain that is not in Domains; add the domain";
    if (problem == NULL && !mox__config_localpart(a->domain, local, full))
        problem = "has a local part that is too long or not UTF-8";
    size_t len = problem == NULL ? strlen(full) : 0;
    if (problem == NULL && has_separator(a->domain, local))
        problem = "has the domain's separator in its local part, so no mail would find it";
    if (problem != NULL) {
        line = destination_line(b, account, text);
        mox__bind_wrong(b, line, "destination \"%s\" %s", text, problem);
        return NULL;
    }
    full[len] = '@';
    memcpy(full + len + 1, name, strlen(name) + 1);
    const char *copy = mox__arena_strndup(b->arena, full, strlen(full));
    b->no_memory = b->no_memory || copy == NULL;
    return copy;
}

static int address_order(const void *a, const void *b)
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
        if (strcmp(a->canonical, z->canonical) == 0)
            mox__bind_wrong(b, destination_line(b, z->account, z->destination->address),
                            "address %s is also a destination of account %s (line %u); keep one",
                            z->canonical, a->account->name,
                            destination_line(b, a->account, a->destination->address));
    }
}

static int fill(struct mox_config_table *t, struct bind *b, const struct mox_config_domains *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->accounts.count; i++)
        count += d->accounts.items[i].destinations.count;
    t->addresses = arena_new(b->arena, struct address, count);
    if (t->addresses == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < d->accounts.count; i++) {
        const struct mox_config_account *account = &d->accounts.items[i];
        for (size_t k = 0; k < account->destinations.count; k++) {
            struct address *a = &t->addresses[t->count];
            *a = (struct address){.account = account,
                                  .destination = &account->destinations.items[k]};
            a->canonical = canonical(b, account, d, a);
            t->count += a->canonical != NULL;
        }
    }
    if (t->count > 1)
        qsort(t->addresses, t->count, sizeof *t->addresses, address_order);
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
                        "it, or name another", m->postmaster.account);
    if (*m->postmaster.mailbox == '\0')
        mox__bind_wrong(b, mox__bind_line(node, "Mailbox"),
                        "the postmaster's mailbox is empty; write Inbox or another");
}

int mox__config_table(struct mox_config_table *table, struct bind *mox,
                      const struct mox_config_static *m, struct bind *domains,
                      const struct mox_config_domains *d)
{
    *table = (struct mox_config_table){.postmaster = find_account(d, m->postmaster.account)};
    int rc = fill(table, domains, d);
    if (rc < 0)
        return rc;
    check_duplicates(domains, table);
    check_postmaster(mox, m, table);
    return mox->no_memory || domains->no_memory ? MOX_ENOMEM : MOX_OK;
}

static int search_order(const void *key, const void *item)
{
    return strcmp(key, ((const struct address *)item)->canonical);
}

static const struct address *find_address(const struct mox_config_table *t, const char *full)
{
    if (t->count == 0)
        return NULL;
    return bsearch(full, t->addresses, t->count, sizeof *t->addresses, search_order);
}

static bool is_our_host(const struct mox_config *config, const char *name)
{
    if (strcmp(config->mox->hostname, name) == 0)
        return true;
    for (size_t i = 0; i < config->mox->listeners.count; i++) {
        const struct mox_config_listener *l = &config->mox->listeners.items[i];
        if (l->smtp.enabled && strcmp(l->hostname, name) == 0)
            return true;
    }
    return false;
}

static enum mox_config_found to_postmaster(const struct mox_config *config,
                                           struct mox_config_target *out)
{
    out->account = config->table->postmaster;
    out->mailbox = config->mox->postmaster.mailbox;
    return MOX_CONFIG_FOUND;
}

static enum mox_config_found found(const struct address *a, struct mox_config_target *out)
{
    out->account = a->account;
    out->destination = a->destination;
    out->mailbox = *a->destination->mailbox == '\0' ? "Inbox" : a->destination->mailbox;
    return MOX_CONFIG_FOUND;
}

static enum mox_config_found lookup_in(const struct mox_config *config,
                                       struct mox_slice localpart, const char *domain,
                                       struct mox_config_target *out)
{
    char full[LOCALPART_CANONICAL_MAX + DOMAIN_NAME_MAX + 2];
    if (!mox__config_localpart(out->domain, localpart, full))
        return MOX_CONFIG_NO_ADDRESS;
    size_t len = strlen(full);
    full[len] = '@';
    memcpy(full + len + 1, domain, strlen(domain) + 1);
    const struct address *a = find_address(config->table, full);
    if (a == NULL)
        a = find_address(config->table, full + len);
    if (a != NULL)
        return found(a, out);
    if (mox__slice_is_nocase(localpart, "postmaster"))
        return to_postmaster(config, out);
    return MOX_CONFIG_NO_ADDRESS;
}

enum mox_config_found mox_config_lookup(const struct mox_config *config,
                                        struct mox_slice localpart, struct mox_slice domain,
                                        enum mox_config_use use, struct mox_config_target *out)
{
    char name[DOMAIN_NAME_MAX + 1];
    *out = (struct mox_config_target){0};
    bool postmaster =
        use == MOX_CONFIG_RECIPIENT && mox__slice_is_nocase(localpart, "postmaster");
    if (domain.len == 0)
        return postmaster ? to_postmaster(config, out) : MOX_CONFIG_NO_DOMAIN;
    if (mox__config_domain(domain, name) != NULL)
        return MOX_CONFIG_NO_DOMAIN;
    if (postmaster && is_our_host(config, name))
        return to_postmaster(config, out);
    out->domain = find_domain(config->domains, name);
    if (out->domain == NULL)
        return MOX_CONFIG_NO_DOMAIN;
    enum mox_config_found result = lookup_in(config, localpart, name, out);
    return out->domain->disabled ? MOX_CONFIG_DOMAIN_DISABLED : result;
}

enum mox_config_found mox_config_lookup_address(const struct mox_config *config,
                                                struct mox_slice address, enum mox_config_use use,
                                                struct mox_config_target *out)
{
    struct mox_slice localpart, domain;
    char unquoted[LOCALPART_MAX];
    *out = (struct mox_config_target){0};
    if (!mox__config_split(address, unquoted, &localpart, &domain))
        return MOX_CONFIG_NO_ADDRESS;
    return mox_config_lookup(config, localpart, domain, use, out);
}
