/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include "config/domain.h"
#include "config/field.h"

/* Who gets the mail of which address. */
struct mox_config_table {
    struct address {
        const char *canonical; /* `local@domain`, `@domain`; sorted by it */
        const struct mox_config_domain *domain;
        /* of an account */
        const struct mox_config_account *account;
        const struct mox_config_destination *destination;
        struct mox_rulesets *rulesets; /* or NULL */
        /* or an alias */
        const struct mox_config_alias *alias;
        const struct mox_config_member *members;
        size_t member_count;
    } *addresses;
    size_t count;

    /* Addresses for reports, sorted by domain. They come before all others, so they are looked at
     * one by one: a domain has two, unless it gets those of others too. */
    struct report_address {
        const struct mox_config_domain *domain; /* of the address */
        const char *localpart;                  /* in lower case, but not cut at separators */
        const struct mox_config_account *account;
        const struct mox_config_destination *destination; /* made for it: the mailbox */
        bool dmarc, tls;
    } * reports;
    size_t report_count;

    /* For each domain: it has no address but gets reports at another one's, so it takes no mail. */
    bool *reports_only;
    /* For each account; those that say the same share it. */
    struct mox_junk_flags **junk_flags;
    struct mox_junk_flags **made_flags; /* each once */
    size_t made_flag_count;

    const struct mox_config_account *postmaster;
};

/* Makes the table from both structs, and reports what does not fit together: addresses that are not
 * valid or there twice, unknown domains, accounts and members. `mox` and `domains` report with the
 * lines of their files. MOX_OK also when something was reported; MOX_ENOMEM. To be freed in any
 * case. */
MOX_MUST_USE int mox__config_table(struct mox_config_table *table, struct bind *mox,
                                   const struct mox_config_static *m, struct bind *domains,
                                   const struct mox_config_domains *d);
void mox__config_table_free(struct mox_config_table *table);

/* Steps of the above: one file each. They report what is wrong; MOX_ENOMEM. */
MOX_MUST_USE int mox__config_reports(struct mox_config_table *t, struct bind *b,
                                     const struct mox_config_domains *d);
/* The addresses of aliases, added behind those of accounts, which are sorted. */
MOX_MUST_USE int mox__config_aliases(struct mox_config_table *t, struct bind *b,
                                     const struct mox_config_domains *d);
MOX_MUST_USE int mox__config_expressions(struct mox_config_table *t, struct bind *b,
                                         const struct mox_config_domains *d);

/* What is found by name, or NULL. */
const struct mox_config_domain *mox__config_find_domain(const struct mox_config_domains *d,
                                                        const char *name);
const struct mox_config_account *mox__config_find_account(const struct mox_config_domains *d,
                                                          const char *name);
const struct address *mox__config_find_address(const struct address *addresses, size_t count,
                                               const char *canonical);

/* An address as it is looked up. */
#define CANONICAL_MAX (LOCALPART_CANONICAL_MAX + DOMAIN_NAME_MAX + 2)

/* Puts the canonical form of an address together: of a local part as it is written, and the name of
 * its domain. NULL, or what is wrong with the local part. */
const char *mox__config_canonical(const struct mox_config_domain *domain, struct mox_slice local,
                                  char out[CANONICAL_MAX]);
int mox__config_address_order(const void *a, const void *b);

/* Where the address stands in domains.conf, and what it is there. */
const struct sconf_node *mox__config_address_node(const struct bind *b, const struct address *a);

#endif
