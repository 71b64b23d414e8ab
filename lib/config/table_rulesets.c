/* SPDX-License-Identifier: MIT */
#include "config/tables.h"

/* Destinations of domains.conf with their rulesets. */

static const struct value_type headers_type = MAP_OF(mox__type_string, struct mox_ruleset_header,
                                                     offsetof(struct mox_ruleset_header, value));

#define AT(member) offsetof(struct mox_ruleset, member)
static const struct field ruleset_fields[] = {
    {.name = "SMTPMailFromRegexp", .type = &mox__type_string, .offset = AT(smtp_mail_from_regexp),
     .check = mox__check_regexp,
     .doc = "Matches the address of SMTP MAIL FROM. An expression may match anywhere in the text, unless "
            "it begins with ^ and ends with $. For example: ^user@example\\.org$."},
    {.name = "MsgFromRegexp", .type = &mox__type_string, .offset = AT(msg_from_regexp),
     .check = mox__check_regexp,
     .doc = "Matches the address in the From header, as user@example.org. A message without one address "
            "there does not match."},
    {.name = "VerifiedDomain", .type = &mox__type_string, .offset = AT(verified_domain),
     .check = mox__check_domain_or_none,
     .doc = "Matches when SPF or DKIM proves that the message is from this domain, or from one below it."},
    {.name = "HeadersRegexp", .type = &headers_type, .offset = AT(headers),
     .check = mox__check_header_regexps,
     .doc = "Names and values of headers, both expressions in lower case, as they are matched against "
            "headers in lower case without space around the value. Each must match one header of the "
            "message. For example: ^list-id$ with <name\\.lists\\.example\\.org>."},
    {.name = "ListAllowDomain", .type = &mox__type_string, .offset = AT(list_allow_domain),
     .check = mox__check_domain_or_none,
     .doc = "What this ruleset matches is accepted, whatever its content and DMARC say, if SPF or DKIM "
            "proves that it is from this very domain: that of a mailing list. It is no condition."},
    {.name = "IsForward", .type = &mox__type_bool, .offset = AT(is_forward),
     .doc = "What this ruleset matches is forwarded by a server that you have set up to do so: DMARC "
            "does not count, and what becomes of the message says nothing of that server. Needs "
            "SMTPMailFromRegexp and VerifiedDomain, and excludes ListAllowDomain."},
    {.name = "AcceptRejectsToMailbox", .type = &mox__type_string,
     .offset = AT(accept_rejects_to_mailbox), .check = mox__check_other_mailbox,
     .doc = "What this ruleset matches and would be refused is accepted into this mailbox instead, and "
            "marked as read. Not Inbox. For mail that a server forwards, which would lose it."},
    {.name = "Mailbox", .type = &mox__type_string, .offset = AT(mailbox), .required = true,
     .check = mox__check_needed_mailbox, .doc = "Where the mail goes. It is made when it does not exist."},
    {.name = "Comment", .type = &mox__type_string, .offset = AT(comment), .doc = "Free text."},
};
#undef AT
static const struct value_type ruleset_type =
    STRUCT_TYPE(struct mox_ruleset, ruleset_fields, mox__check_ruleset);
static const struct value_type rulesets_type = LIST_OF(ruleset_type, struct mox_ruleset);

#define AT(member) offsetof(struct mox_config_destination, member)
static const struct field destination_fields[] = {
    {.name = "Mailbox", .type = &mox__type_string, .offset = AT(mailbox),
     .check = mox__check_mailbox, .doc = "Where the mail goes. Default Inbox."},
    {.name = "Rulesets", .type = &rulesets_type, .offset = AT(rulesets),
     .doc = "Rules that send mail to other mailboxes. The first one counts all of whose conditions hold: "
            "SMTPMailFromRegexp, MsgFromRegexp, VerifiedDomain and HeadersRegexp, of which it has at "
            "least one. Expressions are those of RE2 and of Go: back-references, look-around and "
            "recursion are not part of them."},
    {.name = "SMTPError", .type = &mox__type_string, .offset = AT(smtp_error),
     .check = mox__check_smtp_error,
     .doc = "All mail for the address is refused: with 550 for good, with 421 for now. A text may follow, "
            "at most 256 characters of ASCII in all. For example: 550 I no longer work here. Excludes "
            "Mailbox and Rulesets."},
    {.name = "MessageAuthRequiredSMTPError", .type = &mox__type_string,
     .offset = AT(message_auth_required_smtp_error), .check = mox__check_told,
     .doc = "Only mail is accepted of which SPF or DKIM proves that it is from the domain in its From "
            "header. Other mail is refused with this text, at most 256 characters of ASCII."},
};
#undef AT
static const struct value_type destination_type =
    STRUCT_TYPE(struct mox_config_destination, destination_fields, mox__check_destination);
const struct value_type mox__config_destinations_type =
    MAP_OF(destination_type, struct mox_config_destination, 0);
