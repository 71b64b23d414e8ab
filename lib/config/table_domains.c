/* SPDX-License-Identifier: MIT */
#include "config/tables.h"

/* domains.conf. */

#define AT(member) offsetof(struct mox_config_reports, member)
static const struct field reports_fields[] = {
    {.name = "Localpart", .type = &mox__type_string, .offset = AT(localpart), .required = true,
     .check = mox__check_reports_localpart,
     .doc = "The part of the address in front of the @, in ASCII. For example: dmarcreports or "
            "tlsreports."},
    {.name = "Domain", .type = &mox__type_string, .offset = AT(domain),
     .check = mox__check_domain_or_none,
     .doc = "Domain of the address, if it is another of Domains. Default is the one that the reports are "
            "about."},
    {.name = "Account", .type = &mox__type_string, .offset = AT(account), .required = true,
     .doc = "Account that gets them."},
    {.name = "Mailbox", .type = &mox__type_string, .offset = AT(mailbox), .required = true,
     .check = mox__check_needed_mailbox, .doc = "Mailbox of the account. For example: DMARC or TLSRPT."},
};
#undef AT
static const struct value_type reports_type =
    STRUCT_TYPE(struct mox_config_reports, reports_fields, NULL);
static const struct value_type optional_reports_type = OPTIONAL_OF(reports_type);

#define AT(member) offsetof(struct mox_config_alias, member)
static const struct field alias_fields[] = {
    {.name = "Addresses", .type = &mox__type_strings, .offset = AT(addresses), .required = true,
     .doc = "The members: addresses of accounts, such as user@example.org."},
    {.name = "PostPublic", .type = &mox__type_bool, .offset = AT(post_public),
     .doc = "Everybody may write to the address. Otherwise only its members may."},
    {.name = "ListMembers", .type = &mox__type_bool, .offset = AT(list_members),
     .doc = "Members may see who the others are."},
    {.name = "AllowMsgFrom", .type = &mox__type_bool, .offset = AT(allow_msg_from),
     .doc = "Members may send messages that are from the address."},
};
#undef AT
static const struct value_type alias_type =
    STRUCT_TYPE(struct mox_config_alias, alias_fields, NULL);
static const struct value_type aliases_type = MAP_OF(alias_type, struct mox_config_alias, 0);

#define AT(member) offsetof(struct mox_config_domain, member)
static const struct field domain_fields[] = {
    {.name = "Description", .type = &mox__type_string, .offset = AT(description),
     .doc = "Free text."},
    {.name = "Disabled", .type = &mox__type_bool, .offset = AT(disabled),
     .doc = "Take and send no mail for the domain for now: senders are told to try again later. "
            "Users can still log in."},
    {.name = "LocalpartCatchallSeparator", .type = &mox__type_string,
     .offset = AT(localpart_catchall_separator),
     .doc = "With \"+\", mail for user+anything is delivered to user. Only one of this and "
            "LocalpartCatchallSeparators."},
    {.name = "LocalpartCatchallSeparators", .type = &mox__type_strings,
     .offset = AT(localpart_catchall_separators),
     .doc = "Several separators. What stands behind the first of any of them does not count."},
    {.name = "LocalpartCaseSensitive", .type = &mox__type_bool,
     .offset = AT(localpart_case_sensitive),
     .doc = "Make User and user two addresses. Senders do not expect that."},
    {.name = "DMARC", .type = &optional_reports_type, .offset = AT(dmarc),
     .doc = "The address that gets reports of others about mail from the domain, for the rua of its DMARC "
            "record. Also with a catchall separator and more behind."},
    {.name = "TLSRPT", .type = &optional_reports_type, .offset = AT(tlsrpt),
     .doc = "The address that gets reports of others about TLS with the domain's servers, for its TLSRPT "
            "record."},
    {.name = "Aliases", .type = &aliases_type, .offset = AT(aliases),
     .doc = "Addresses that stand for several others, by the part in front of the @. A message goes to all "
            "members, but for whom it is from and who gets it in their own name as well."},
};
#undef AT
static const struct value_type domain_type =
    STRUCT_TYPE(struct mox_config_domain, domain_fields, mox__check_domain);
static const struct value_type domains_type = MAP_OF(domain_type, struct mox_config_domain, 0);

static const struct value_type accounts_type =
    MAP_OF(mox__config_account_type, struct mox_config_account, 0);

#define AT(member) offsetof(struct mox_config_domains, member)
static const struct field domains_fields[] = {
    {.name = "Domains",
     .type = &domains_type,
     .offset = AT(domains),
     .required = true,
     .check = mox__check_domain_names,
     .doc = "This is domains.conf, the part of the configuration about domains, accounts and "
            "addresses. It is "
            "read when the server starts, as mox.conf is: restart it after a change. How a file is "
            "written is explained in mox.conf.\n\n\n"
            "Domains that this server takes mail for."},
    {.name = "Accounts",
     .type = &accounts_type,
     .offset = AT(accounts),
     .required = true,
     .check = mox__check_account_names,
     .doc = "Accounts, each with its own mailboxes, password and addresses. The name is that of a "
            "folder: letters, digits, \"-\", \"_\" and \".\". Nobody can log in to a new account "
            "before "
            "\"mox setaccountpassword\" has set its password, which the running server does."},
    {.name = "MonitorDNSBLs",
     .type = &mox__type_strings,
     .offset = AT(monitor_dnsbls),
     .check = mox__check_zones,
     .doc =
         "Zones of lists of blocked addresses in which the server's own public addresses, of the "
         "listener \"public\", are looked up every three hours, as in the DNSBLs of that listener. "
         "What "
         "is found is logged, and in the metric mox_dnsbl_ips_success; no mail is refused for "
         "these. "
         "For example: bl.example.org."},
};
const struct value_type mox__config_domains_type =
    STRUCT_TYPE(struct mox_config_domains, domains_fields, NULL);
