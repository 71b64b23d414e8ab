/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/text.h"
#include "config/table.h"

/* Addresses that reports about domains come to. Two domains may use the same one. */

/* One report section on its way into the table. */
struct section {
    struct bind *bind;
    const struct mox_config_domains *all;
    const struct mox_config_domain *about;
    const struct mox_config_reports *reports;
    const char *key; /* DMARC or TLSRPT */
};

static const struct sconf_node *section_node(const struct section *s)
{
    const struct sconf_node *n = mox__sconf_find(&s->bind->tree->root, "Domains");
    return mox__sconf_find(mox__sconf_find(n, s->about->name), s->key);
}

static unsigned section_line(const struct section *s, const char *field)
{
    const struct sconf_node *n = section_node(s);
    return n == NULL ? 1 : mox__bind_line(n, field);
}

/* The domain of the address, its account and its local part. False when something is wrong. */
static bool resolve(const struct section *s, struct report_address *out)
{
    const struct mox_config_reports *r = s->reports;
    struct bind *b = s->bind;
    out->domain = *r->domain == '\0' ? s->about : mox__config_find_domain(s->all, r->domain);
    out->account = mox__config_find_account(s->all, r->account);
    if (out->domain == NULL)
        mox__bind_wrong(b, section_line(s, "Domain"),
                        "the domain of the address for %s, \"%s\", is not "
                        "in Domains; add it, or name another",
                        s->key, r->domain);
    if (out->account == NULL)
        mox__bind_wrong(b, section_line(s, "Account"),
                        "the account for %s, \"%s\", is not in Accounts; "
                        "add it, or name another",
                        s->key, r->account);
    if (out->domain == NULL || out->account == NULL)
        return false;
    char local[LOCALPART_CANONICAL_MAX + 1];
    if (!mox__config_localpart_whole(out->domain, slice_of(r->localpart), local))
        return false; /* its own check has told */
    out->localpart = mox__arena_strndup(b->arena, local, strlen(local));
    return true;
}

static const struct mox_config_destination *hidden_destination(const struct section *s)
{
    struct bind *b = s->bind;
    struct mox_config_destination *made = arena_new(b->arena, struct mox_config_destination, 1);
    if (made != NULL)
        *made = (struct mox_config_destination){.address = s->reports->localpart,
                                                .mailbox = s->reports->mailbox,
                                                .smtp_error = "",
                                                .message_auth_required_smtp_error = ""};
    return made;
}

static struct report_address *find_same(struct mox_config_table *t, const struct report_address *r)
{
    for (size_t i = 0; i < t->report_count; i++)
        if (t->reports[i].domain == r->domain && strcmp(t->reports[i].localpart, r->localpart) == 0)
            return &t->reports[i];
    return NULL;
}

/* An address that somebody else has would never get its mail. */
static void check_others(const struct section *s, const struct mox_config_table *t,
                         const struct report_address *r)
{
    char full[CANONICAL_MAX];
    if (mox__config_canonical(r->domain, slice_of(s->reports->localpart), full) != NULL)
        return; /* with a separator inside it is nobody else's */
    const struct address *a = mox__config_find_address(t->addresses, t->count, full);
    if (a != NULL && a->account != r->account)
        mox__bind_wrong(s->bind, section_line(s, "Localpart"),
                        "the address for %s, %s, is also %s%s; "
                        "use another",
                        s->key, full, a->alias != NULL ? "an alias" : "a destination of account ",
                        a->alias != NULL ? "" : a->account->name);
}

static void add(const struct section *s, struct mox_config_table *t, bool dmarc)
{
    struct report_address r = {.dmarc = dmarc, .tls = !dmarc};
    if (!resolve(s, &r))
        return;
    s->bind->no_memory = s->bind->no_memory || r.localpart == NULL;
    if (s->bind->no_memory)
        return;
    struct report_address *same = find_same(t, &r);
    if (same == NULL) {
        check_others(s, t, &r);
        r.destination = hidden_destination(s);
        s->bind->no_memory = r.destination == NULL;
        t->reports[t->report_count++] = r;
        return;
    }
    if (same->account != r.account || strcmp(same->destination->mailbox, s->reports->mailbox) != 0)
        mox__bind_wrong(s->bind, section_line(s, "Localpart"),
                        "the address for %s is also that of "
                        "other reports, with another account or mailbox; use the same, or another "
                        "address",
                        s->key);
    same->dmarc = same->dmarc || dmarc;
    same->tls = same->tls || !dmarc;
}

static bool is_elsewhere(const struct mox_config_domain *domain,
                         const struct mox_config_reports *reports)
{
    return reports != NULL && *reports->domain != '\0' &&
           strcmp(reports->domain, domain->name) != 0;
}

/* A domain that is only here for its reports, which come to another's address. */
static void mark_reports_only(struct mox_config_table *t, const struct mox_config_domains *d)
{
    for (size_t i = 0; i < d->domains.count; i++)
        t->reports_only[i] = is_elsewhere(&d->domains.items[i], d->domains.items[i].dmarc) ||
                             is_elsewhere(&d->domains.items[i], d->domains.items[i].tlsrpt);
    for (size_t i = 0; i < t->count; i++)
        t->reports_only[t->addresses[i].domain - d->domains.items] = false;
    for (size_t i = 0; i < t->report_count; i++)
        t->reports_only[t->reports[i].domain - d->domains.items] = false;
}

static int report_order(const void *a, const void *b)
{
    const struct report_address *x = a, *y = b;
    if (x->domain != y->domain)
        return x->domain < y->domain ? -1 : 1;
    return strcmp(x->localpart, y->localpart);
}

int mox__config_reports(struct mox_config_table *t, struct bind *b,
                        const struct mox_config_domains *d)
{
    t->reports = arena_new(b->arena, struct report_address, 2 * d->domains.count);
    t->reports_only = arena_new(b->arena, bool, d->domains.count);
    if (t->reports == NULL || t->reports_only == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < d->domains.count; i++) {
        const struct mox_config_domain *domain = &d->domains.items[i];
        if (domain->dmarc != NULL)
            add(&(struct section){b, d, domain, domain->dmarc, "DMARC"}, t, true);
        if (domain->tlsrpt != NULL)
            add(&(struct section){b, d, domain, domain->tlsrpt, "TLSRPT"}, t, false);
    }
    if (t->report_count > 1)
        qsort(t->reports, t->report_count, sizeof *t->reports, report_order);
    mark_reports_only(t, d);
    return b->no_memory ? MOX_ENOMEM : MOX_OK;
}
