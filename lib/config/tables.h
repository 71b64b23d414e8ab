/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_TABLES_H
#define CONFIG_TABLES_H

#include "config/field.h"

extern const struct value_type mox__config_static_type;   /* struct mox_config_static */
extern const struct value_type mox__config_listener_type; /* struct mox_config_listener */
extern const struct value_type mox__config_limits_type;   /* struct mox_config_limits */
extern const struct value_type mox__config_delays_type;   /* struct mox_config_delays */
extern const struct value_type mox__config_domains_type;  /* struct mox_config_domains */
extern const struct value_type mox__config_account_type;  /* struct mox_config_account */
extern const struct value_type mox__config_destinations_type; /* a map of struct mox_config_destination */

/* Checks that look at one field, for the tables. */
value_check mox__check_forward, mox__check_hostname, mox__check_mailbox, mox__check_needed_mailbox,
    mox__check_other_mailbox, mox__check_mailbox_names, mox__check_ips, mox__check_nat_ips, mox__check_package,
    mox__check_message_size, mox__check_quota, mox__check_delay, mox__check_zones,
    mox__check_domain_names, mox__check_account_names, mox__check_separators,
    mox__check_account_domain, mox__check_domain_or_none, mox__check_reports_localpart,
    mox__check_told, mox__check_smtp_error, mox__check_period, mox__check_probability,
    mox__check_half, mox__check_words, mox__check_regexp, mox__check_header_regexps;
/* Checks of a struct: fields that must agree. */
value_check mox__check_listener, mox__check_tls, mox__check_initial_mailboxes, mox__check_static,
    mox__check_domain, mox__check_limit, mox__check_account, mox__check_destination,
    mox__check_ruleset, mox__check_junk_filter;

#endif
