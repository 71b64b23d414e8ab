/* SPDX-License-Identifier: MIT */
#include "command.h"

const struct flag global_flags[] = {
    {"config", "file", "path of mox.conf; default $MOXCONF, config/mox.conf, then that of localserve"},
    {"dir", "folder", "folder of mox.conf, as mox localserve makes it"},
    {"loglevel", "level", "info, debug or another, or package=level; several with commas; over mox.conf"},
    {"pedantic", NULL, "refuse the protocol violations of clients that are usually tolerated"},
    {"resolver", "ip:port", "ask this resolver for names of the DNS; over mox.conf"},
    {"trust-anchor", "file", "DS or DNSKEY records that DNSSEC validation begins with; over mox.conf"},
    {"help", NULL, "show help, do nothing"},
    {NULL, NULL, NULL},
};

const struct command_group *const command_groups[] = {
    &serve_group,
    &server_group,
    &config_group,
    &logins_group,
    &data_group,
    &import_group,
    &reports_group,
    &check_group,
    &explain_group,
    &dns_group,
    &spf_group,
    &dkim_group,
    &arc_group,
    &policies_group,
    &junk_group,
    &help_group,
};
const size_t command_group_count = sizeof command_groups / sizeof command_groups[0];
