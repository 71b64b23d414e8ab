/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "config/table.h"

/* Whose mail an address gets. In a domain of ours: addresses for reports, then addresses of accounts and
 * aliases, then what takes the rest of the domain, then postmaster (RFC 5321 §4.5.1). */

const struct mox_config_account *mox_config_account(const struct mox_config *config,
                                                    const char *name)
{
    return mox__config_find_account(config->domains, name);
}

struct mox_junk_flags *mox_config_junk_flags(const struct mox_config *config,
                                             const struct mox_config_account *account)
{
    return config->table->junk_flags[account - config->domains->accounts.items];
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

static enum mox_config_found to_destination(const struct mox_config_account *account,
                                            const struct mox_config_destination *destination,
                                            struct mox_config_target *out)
{
    out->account = account;
    out->destination = destination;
    out->mailbox = *destination->mailbox == '\0' ? "Inbox" : destination->mailbox;
    return MOX_CONFIG_FOUND;
}

static enum mox_config_found found(const struct address *a, struct mox_config_target *out)
{
    if (a->alias != NULL) {
        out->alias = a->alias;
        out->members = a->members;
        out->member_count = a->member_count;
        out->mailbox = "Inbox";
        return MOX_CONFIG_FOUND;
    }
    out->rulesets = a->rulesets;
    return to_destination(a->account, a->destination, out);
}

static bool starts(const char *text, const char *with)
{
    return *with != '\0' && strncmp(text, with, strlen(with)) == 0;
}

/* Whether it is the local part for reports, or that with a separator and more behind it. */
static bool is_for_reports(const struct report_address *r, const char *localpart)
{
    const struct mox_config_domain *d = r->domain;
    if (strncmp(localpart, r->localpart, strlen(r->localpart)) != 0)
        return false;
    const char *rest = localpart + strlen(r->localpart);
    bool is = *rest == '\0' || starts(rest, d->localpart_catchall_separator);
    for (size_t i = 0; i < d->localpart_catchall_separators.count; i++)
        is = is || starts(rest, d->localpart_catchall_separators.items[i]);
    return is;
}

/* The first of the domain's. */
static size_t first_report(const struct mox_config_table *t, const struct mox_config_domain *domain)
{
    size_t low = 0, high = t->report_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->reports[middle].domain < domain)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The longest that fits, should one begin like another; they are sorted. */
static const struct report_address *find_report(const struct mox_config_table *t,
                                                const struct mox_config_domain *domain,
                                                struct mox_slice localpart)
{
    const struct report_address *best = NULL;
    char whole[LOCALPART_CANONICAL_MAX + 1];
    if (!mox__config_localpart_whole(domain, localpart, whole))
        return NULL;
    for (size_t i = first_report(t, domain); i < t->report_count; i++) {
        if (t->reports[i].domain != domain)
            break;
        if (is_for_reports(&t->reports[i], whole))
            best = &t->reports[i];
    }
    return best;
}

static enum mox_config_found to_reports(const struct report_address *r,
                                        struct mox_config_target *out)
{
    out->dmarc_reports = r->dmarc;
    out->tls_reports = r->tls;
    return to_destination(r->account, r->destination, out);
}

static enum mox_config_found lookup_in(const struct mox_config *config, struct mox_slice localpart,
                                       const char *domain, struct mox_config_target *out)
{
    const struct mox_config_table *t = config->table;
    char full[CANONICAL_MAX];
    const struct report_address *r = find_report(t, out->domain, localpart);
    if (r != NULL)
        return to_reports(r, out);
    if (!mox__config_localpart(out->domain, localpart, full))
        return MOX_CONFIG_NO_ADDRESS;
    size_t len = strlen(full);
    full[len] = '@';
    memcpy(full + len + 1, domain, strlen(domain) + 1);
    const struct address *a = mox__config_find_address(t->addresses, t->count, full);
    if (a == NULL)
        a = mox__config_find_address(t->addresses, t->count, full + len);
    if (a != NULL)
        return found(a, out);
    if (mox__slice_is_nocase(localpart, "postmaster"))
        return to_postmaster(config, out);
    return MOX_CONFIG_NO_ADDRESS;
}

static const struct mox_config_domain *domain_with_mail(const struct mox_config *config,
                                                        const char *name)
{
    const struct mox_config_domain *d = mox__config_find_domain(config->domains, name);
    bool mail = d != NULL && !config->table->reports_only[d - config->domains->domains.items];
    return mail ? d : NULL;
}

enum mox_config_found mox_config_lookup(const struct mox_config *config, struct mox_slice localpart,
                                        struct mox_slice domain, enum mox_config_use use,
                                        struct mox_config_target *out)
{
    char name[DOMAIN_NAME_MAX + 1];
    *out = (struct mox_config_target){0};
    bool postmaster = use == MOX_CONFIG_RECIPIENT && mox__slice_is_nocase(localpart, "postmaster");
    if (domain.len == 0)
        return postmaster ? to_postmaster(config, out) : MOX_CONFIG_NO_DOMAIN;
    if (mox__config_domain(domain, name) != NULL)
        return MOX_CONFIG_NO_DOMAIN;
    if (postmaster && is_our_host(config, name))
        return to_postmaster(config, out);
    out->domain = domain_with_mail(config, name);
    if (out->domain == NULL)
        return MOX_CONFIG_NO_DOMAIN;
    enum mox_config_found result = lookup_in(config, localpart, name, out);
    return out->domain->disabled ? MOX_CONFIG_DOMAIN_DISABLED : result;
}

const struct mox_rulesets *mox_config_member_rulesets(const struct mox_config *config,
                                                      const struct mox_config_member *member)
{
    struct mox_config_target target;
    enum mox_config_found rc = mox_config_lookup(config, slice_of(member->localpart),
                                                 slice_of(member->domain), MOX_CONFIG_RECIPIENT,
                                                 &target);
    return rc == MOX_CONFIG_FOUND ? target.rulesets : NULL;
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
