/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/text.h"
#include "config/table.h"

/* Aliases of domains with their members, which are addresses of accounts. */

struct alias_lines {
    struct bind *bind;
    const struct sconf_node *node; /* of the alias; or NULL */
};

static void wrong(const struct alias_lines *l, const struct mox_config_alias *alias,
                  const char *problem)
{
    mox__bind_wrong(l->bind, l->node == NULL ? 1 : l->node->line, "alias \"%s\" %s",
                    alias->localpart, problem);
}

static const char *alias_canonical(struct bind *b, const struct mox_config_domain *domain,
                                   const struct mox_config_alias *alias, const char **out)
{
    struct mox_slice local, at;
    char unquoted[LOCALPART_MAX], full[CANONICAL_MAX];
    if (!mox__config_split(slice_of(alias->localpart), unquoted, &local, &at))
        return "has more than 128 bytes";
    if (at.len > 0 || local.len == 0)
        return "is no local part; write what stands in front of the @";
    const char *problem = mox__config_canonical(domain, local, full);
    if (problem != NULL)
        return problem;
    *out = mox__arena_strndup(b->arena, full, strlen(full));
    b->no_memory = b->no_memory || *out == NULL;
    return NULL;
}

/* The address of an account that is meant, or NULL. */
static const struct address *find_member(const struct mox_config_table *t, size_t account_addresses,
                                         const struct mox_config_domains *d, const char *text)
{
    struct mox_slice local, domain;
    char unquoted[LOCALPART_MAX], name[DOMAIN_NAME_MAX + 1], full[CANONICAL_MAX];
    if (!mox__config_split(slice_of(text), unquoted, &local, &domain) || local.len == 0 ||
        mox__config_domain(domain, name) != NULL)
        return NULL;
    const struct mox_config_domain *of = mox__config_find_domain(d, name);
    if (of == NULL || mox__config_canonical(of, local, full) != NULL)
        return NULL;
    return mox__config_find_address(t->addresses, account_addresses, full);
}

static bool is_member(const struct mox_config_member *members, size_t count,
                      const struct address *a)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].destination == a->destination)
            return true;
    return false;
}

static void fill_member(struct bind *b, struct mox_config_member *m, const struct address *a)
{
    size_t len = strlen(a->canonical) - strlen(a->domain->name) - 1;
    *m = (struct mox_config_member){
        .localpart = mox__arena_strndup(b->arena, a->canonical, len),
        .domain = a->domain->name,
        .account = a->account,
        .destination = a->destination,
        .mailbox = *a->destination->mailbox == '\0' ? "Inbox" : a->destination->mailbox};
    b->no_memory = b->no_memory || m->localpart == NULL;
}

static void add_members(const struct alias_lines *l, struct mox_config_table *t,
                        size_t account_addresses, const struct mox_config_domains *d,
                        struct address *alias)
{
    struct bind *b = l->bind;
    const struct mox_config_strings *list = &alias->alias->addresses;
    const struct sconf_node *node = mox__sconf_find(l->node, "Addresses");
    struct mox_config_member *members = arena_new(b->arena, struct mox_config_member, list->count);
    alias->members = members;
    b->no_memory = b->no_memory || members == NULL;
    for (size_t i = 0; i < list->count && !b->no_memory; i++) {
        const struct address *a = find_member(t, account_addresses, d, list->items[i]);
        unsigned line = node == NULL ? 1 : mox__bind_item_line(node, i);
        if (a == NULL)
            mox__bind_wrong(b, line,
                            "member \"%s\" of alias \"%s\" is not an address of an account; "
                            "write one that is in Destinations",
                            list->items[i], alias->alias->localpart);
        else if (is_member(members, alias->member_count, a))
            mox__bind_wrong(b, line, "member %s of alias \"%s\" is there twice; remove one",
                            a->canonical, alias->alias->localpart);
        else
            fill_member(b, &members[alias->member_count++], a);
    }
}

static void add_alias(struct mox_config_table *t, size_t account_addresses, struct bind *b,
                      const struct mox_config_domains *d, const struct mox_config_domain *domain,
                      const struct mox_config_alias *alias)
{
    struct address *a = &t->addresses[t->count];
    *a = (struct address){.domain = domain, .alias = alias};
    const struct alias_lines l = {b, mox__config_address_node(b, a)};
    const char *problem = alias_canonical(b, domain, alias, &a->canonical);
    if (problem == NULL && alias->addresses.count == 0)
        problem = "has no members; add Addresses";
    if (problem != NULL)
        wrong(&l, alias, problem);
    else if (!b->no_memory) {
        add_members(&l, t, account_addresses, d, a);
        t->count++;
    }
}

int mox__config_aliases(struct mox_config_table *t, struct bind *b,
                        const struct mox_config_domains *d)
{
    size_t account_addresses = t->count;
    for (size_t i = 0; i < d->domains.count; i++) {
        const struct mox_config_domain *domain = &d->domains.items[i];
        for (size_t k = 0; k < domain->aliases.count; k++)
            add_alias(t, account_addresses, b, d, domain, &domain->aliases.items[k]);
    }
    if (t->count > account_addresses)
        qsort(t->addresses, t->count, sizeof *t->addresses, mox__config_address_order);
    return b->no_memory ? MOX_ENOMEM : MOX_OK;
}
