/* SPDX-License-Identifier: MIT */
#include "config/tables.h"

/* domains.conf. */

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
};
#undef AT
static const struct value_type domain_type =
    STRUCT_TYPE(struct mox_config_domain, domain_fields, mox__check_domain);
static const struct value_type domains_type = MAP_OF(domain_type, struct mox_config_domain, 0);

#define AT(member) offsetof(struct mox_config_destination, member)
static const struct field destination_fields[] = {
    {.name = "Mailbox", .type = &mox__type_string, .offset = AT(mailbox),
     .check = mox__check_mailbox, .doc = "Where the mail goes. Default Inbox."},
};
#undef AT
static const struct value_type destination_type =
    STRUCT_TYPE(struct mox_config_destination, destination_fields, NULL);
static const struct value_type destinations_type =
    MAP_OF(destination_type, struct mox_config_destination, 0);

#define AT(member) offsetof(struct mox_config_account, member)
static const struct field account_fields[] = {
    {.name = "Domain", .type = &mox__type_string, .offset = AT(domain), .required = true,
     .check = mox__check_account_domain, .doc = "The account's default domain."},
    {.name = "Description", .type = &mox__type_string, .offset = AT(description),
     .doc = "Free text, such as the person's name."},
    {.name = "LoginDisabled", .type = &mox__type_string, .offset = AT(login_disabled),
     .check = mox__check_told,
     .doc = "Nobody can log in to the account, and whoever knows its password is told this text: at "
            "most 256 letters, digits and other characters of ASCII. Mail is still accepted."},
    {.name = "Destinations", .type = &destinations_type, .offset = AT(destinations),
     .doc = "The addresses of the account, such as user@example.org. @example.org takes all mail "
            "for the domain that no other address takes. Users log in with any of them but the "
            "last."},
    {.name = "MaxOutgoingMessagesPerDay", .type = &mox__type_uint32,
     .offset = AT(max_outgoing_messages_per_day), .preset = "1000", .zero_is_preset = true,
     .doc = "How many messages the account may send in 24 hours, each recipient of a message "
            "counted. More are refused for now: whoever has stolen a password is not to send spam "
            "for long. Default 1000."},
    {.name = "MaxFirstTimeRecipientsPerDay", .type = &mox__type_uint32,
     .offset = AT(max_first_time_recipients_per_day), .preset = "200", .zero_is_preset = true,
     .doc = "The same, for recipients that the account has never written to before: spam goes to "
            "many of them. Default 200."},
};
#undef AT
static const struct value_type account_type =
    STRUCT_TYPE(struct mox_config_account, account_fields, NULL);
static const struct value_type accounts_type = MAP_OF(account_type, struct mox_config_account, 0);

#define AT(member) offsetof(struct mox_config_domains, member)
static const struct field domains_fields[] = {
    {.name = "Domains", .type = &domains_type, .offset = AT(domains), .required = true,
     .check = mox__check_domain_names,
     .doc = "This is domains.conf, the part of the configuration that the server's commands change "
            "while it runs. They keep comments, and every line that they do not change. How a file "
            "is written is explained in mox.conf.\n\n\n"
            "Domains that this server takes mail for."},
    {.name = "Accounts", .type = &accounts_type, .offset = AT(accounts), .required = true,
     .check = mox__check_account_names,
     .doc = "Accounts, each with its own mailboxes, password and addresses. The name is that of a "
            "folder: letters, digits, \"-\", \"_\" and \".\"."},
};
const struct value_type mox__config_domains_type =
    STRUCT_TYPE(struct mox_config_domains, domains_fields, NULL);
