/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_TABLES_H
#define CONFIG_TABLES_H

#include "config/field.h"

extern const struct value_type mox__config_static_type;   /* struct mox_config_static */
extern const struct value_type mox__config_listener_type; /* struct mox_config_listener */
extern const struct value_type mox__config_limits_type;   /* struct mox_config_limits */
extern const struct value_type mox__config_delays_type;   /* struct mox_config_delays */
extern const struct value_type mox__config_domains_type;  /* struct mox_config_domains */

/* Checks that look at one field, for the tables. */
value_check mox__check_forward, mox__check_hostname, mox__check_mailbox, mox__check_mailbox_names, mox__check_ips,
    mox__check_package, mox__check_message_size, mox__check_delay, mox__check_domain_names, mox__check_account_names,
    mox__check_separators, mox__check_account_domain, mox__check_told;
/* Checks of a struct: fields that must agree. */
value_check mox__check_listener, mox__check_tls, mox__check_initial_mailboxes, mox__check_static,
    mox__check_domain, mox__check_limit;

#endif
