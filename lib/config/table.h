/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include "config/field.h"

/* Who gets the mail of which address. */
struct mox_config_table {
    struct address {
        const char *canonical; /* `local@domain`, `@domain`; sorted by it */
        const struct mox_config_account *account;
        const struct mox_config_domain *domain;
        const struct mox_config_destination *destination;
    } *addresses;
    size_t count;
    const struct mox_config_account *postmaster;
};

/* Makes the table from both structs, and reports what does not fit together: addresses that are not
 * valid or there twice, unknown domains, an unknown postmaster. `mox` and `domains` report with the
 * lines of their files. MOX_OK also when something was reported; MOX_ENOMEM. */
MOX_MUST_USE int mox__config_table(struct mox_config_table *table, struct bind *mox,
                                   const struct mox_config_static *m, struct bind *domains,
                                   const struct mox_config_domains *d);

#endif
