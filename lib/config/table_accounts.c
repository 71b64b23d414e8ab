/* SPDX-License-Identifier: MIT */
#include "config/tables.h"

/* Accounts of domains.conf. */

static const struct field subject_pass_fields[] = {
    {.name = "Period", .type = &mox__type_duration,
     .offset = offsetof(struct mox_config_subject_pass, period_us), .required = true,
     .check = mox__check_period, .doc = "How long such a word is good. For example: 12h."},
};
static const struct value_type subject_pass_type =
    STRUCT_TYPE(struct mox_config_subject_pass, subject_pass_fields, NULL);

#define AT(member) offsetof(struct mox_junk_flags_config, member)
static const struct field junk_flags_fields[] = {
    {.name = "Enabled", .type = &mox__type_bool, .offset = AT(enabled), .required = true,
     .doc = "Whether mailboxes set these flags. A mailbox with the role Junk does so in any case."},
    {.name = "JunkMailboxRegexp", .type = &mox__type_string, .offset = AT(junk_regexp),
     .check = mox__check_regexp,
     .doc = "Mailboxes with messages that are junk. For example: ^(junk|spam)."},
    {.name = "NeutralMailboxRegexp", .type = &mox__type_string, .offset = AT(neutral_regexp),
     .check = mox__check_regexp,
     .doc = "Mailboxes with messages that are not sorted yet. For example: "
            "^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects|introbox)."},
    {.name = "NotJunkMailboxRegexp", .type = &mox__type_string, .offset = AT(notjunk_regexp),
     .check = mox__check_regexp,
     .doc = "Mailboxes with messages that are not junk. For example: ^(archive|trash)."},
};
#undef AT
static const struct value_type junk_flags_type =
    STRUCT_TYPE(struct mox_junk_flags_config, junk_flags_fields, NULL);

#define AT(member) offsetof(struct mox_config_junk_filter, member)
static const struct field junk_filter_fields[] = {
    {.name = "Threshold",
     .type = &mox__type_float,
     .offset = AT(threshold),
     .preset = "0.950000",
     .check = mox__check_probability,
     .doc =
         "Messages that are junk with a higher probability, from 0 to 1, are refused. Default "
         "0.95. "
         "For each message up to 0.05 is added or taken away by chance, so that nobody can try it "
         "out. "
         "Unless that is less, 0.25 counts instead for a client without TLS, for a client without "
         "a "
         "name that leads back to its address when nothing is known of the sender's domain, and "
         "for "
         "a message, no forward, that has the user's address neither in To nor in Cc. A filter "
         "that "
         "has learnt fewer than 50 messages that are not junk refuses only those of such clients "
         "without a name. A server for tests (localserve) asks for neither TLS nor a name."},
    {.name = "Onegrams",
     .type = &mox__type_bool,
     .offset = AT(params.onegrams),
     .doc = "Learn single words. This is what is learnt when none of the three is true."},
    {.name = "Twograms",
     .type = &mox__type_bool,
     .offset = AT(params.twograms),
     .doc = "Learn pairs of words."},
    {.name = "Threegrams",
     .type = &mox__type_bool,
     .offset = AT(params.threegrams),
     .doc = "Learn groups of three words."},
    {.name = "MaxPower",
     .type = &mox__type_float,
     .offset = AT(params.max_power),
     .preset = "0.010000",
     .check = mox__check_half,
     .doc = "How much one word can say: its probability is at least this, and at most 1 less this. "
            "From "
            "0 to 0.5. Default 0.01. It does not bound the pieces of text that most of a verdict "
            "is from."},
    {.name = "TopWords",
     .type = &mox__type_uint32,
     .offset = AT(params.top_words),
     .preset = "10",
     .check = mox__check_words,
     .doc =
         "How many words count: so many of those that say most for junk, and as many of those that "
         "say most against it. Default 10. Words are a small part of a verdict: most is from how "
         "a message is made and from short pieces of its text."},
    {.name = "IgnoreWords",
     .type = &mox__type_float,
     .offset = AT(params.ignore_words),
     .preset = "0.100000",
     .check = mox__check_half,
     .doc = "Words whose probability is no further than this from 0.5 do not count. From 0 to 0.5. "
            "Default 0.1."},
    {.name = "RareWords",
     .type = &mox__type_uint32,
     .offset = AT(params.rare_words),
     .preset = "2",
     .check = mox__check_words,
     .doc = "Words that were seen at most so often count less. Default 2."},
};
#undef AT
static const struct value_type junk_filter_type =
    STRUCT_TYPE(struct mox_config_junk_filter, junk_filter_fields, mox__check_junk_filter);
static const struct value_type optional_junk_filter_type = OPTIONAL_OF(junk_filter_type);

#define AT(member) offsetof(struct mox_config_account, member)
static const struct field account_fields[] = {
    {.name = "Domain",
     .type = &mox__type_string,
     .offset = AT(domain),
     .required = true,
     .check = mox__check_account_domain,
     .doc = "The account's default domain."},
    {.name = "Description",
     .type = &mox__type_string,
     .offset = AT(description),
     .doc = "Free text, such as the person's name."},
    {.name = "LoginDisabled",
     .type = &mox__type_string,
     .offset = AT(login_disabled),
     .check = mox__check_told,
     .doc =
         "Nobody can log in to the account, and whoever knows its password is told this text: at "
         "most 256 letters, digits and other characters of ASCII. Mail is still accepted."},
    {.name = "Destinations",
     .type = &mox__config_destinations_type,
     .offset = AT(destinations),
     .doc = "The addresses of the account, such as user@example.org. @example.org takes all mail "
            "for the domain that no other address takes. Users log in with any of them but the "
            "last."},
    {.name = "SubjectPass",
     .type = &subject_pass_type,
     .offset = AT(subject_pass),
     .doc = "A sender of whom nothing at all is known, who passes DMARC, and whose message is "
            "refused by the "
            "junk filter with a probability more than 0.2 below Threshold, or because a list of "
            "blocked "
            "addresses has the client, is told a word to put into the subject. A message that has "
            "it is "
            "not refused for its content or a list. Without this section nobody is told one."},
    {.name = "QuotaMessageSize",
     .type = &mox__type_int64,
     .offset = AT(quota_message_size),
     .doc = "Largest size of all messages of the account together, in bytes; what does not fit is "
            "refused. "
            "0 means that of mox.conf, and a negative number no limit."},
    {.name = "RejectsMailbox",
     .type = &mox__type_string,
     .offset = AT(rejects_mailbox),
     .check = mox__check_other_mailbox,
     .doc = "Mail that is refused as junk is kept in this mailbox for 14 days, at most 1000 "
            "messages and a "
            "quarter of the account's quota, and marked as read. Moving one to another mailbox "
            "makes the sender known. Not Inbox. For "
            "example: Rejects. Without it nothing is kept."},
    {.name = "KeepRejects",
     .type = &mox__type_bool,
     .offset = AT(keep_rejects),
     .doc = "Do not remove old messages from RejectsMailbox, and add any number."},
    {.name = "Introbox",
     .type = &mox__type_string,
     .offset = AT(introbox),
     .check = mox__check_other_mailbox,
     .doc = "Mail for Inbox from an address that is not known yet goes to this mailbox instead. "
            "Moving it "
            "to Inbox, or to another mailbox with messages that are not junk, makes the address "
            "known. "
            "Neither Inbox nor RejectsMailbox. For example: Introbox."},
    {.name = "AutomaticJunkFlags",
     .type = &junk_flags_type,
     .offset = AT(automatic_junk_flags),
     .doc =
         "Messages that come to a mailbox get the flag $Junk or $NotJunk, or lose both, by the "
         "mailbox's name. The flags are what the junk filter learns from, and what makes senders "
         "known. The expressions are tried in their order on the name in lower case, and the first "
         "that "
         "matches counts; when two of the three are set, the third is all other mailboxes."},
    {.name = "JunkFilter",
     .type = &optional_junk_filter_type,
     .offset = AT(junk_filter),
     .doc =
         "Refuse messages of senders of whom too little is known when their content is like that "
         "of junk, as "
         "learnt from the flags $Junk and $NotJunk of the account's messages: their words, how "
         "they are "
         "made, and short pieces of their text. Without this section the content does not count."},
    {.name = "MaxOutgoingMessagesPerDay",
     .type = &mox__type_uint32,
     .offset = AT(max_outgoing_messages_per_day),
     .preset = "1000",
     .zero_is_preset = true,
     .doc = "How many messages the account may send in 24 hours, each recipient of a message "
            "counted. More are refused for now: whoever has stolen a password is not to send spam "
            "for long. Default 1000."},
    {.name = "MaxFirstTimeRecipientsPerDay",
     .type = &mox__type_uint32,
     .offset = AT(max_first_time_recipients_per_day),
     .preset = "200",
     .zero_is_preset = true,
     .doc = "The same, for recipients that the account has never written to before: spam goes to "
            "many of them. Default 200."},
    {.name = "NoFirstTimeSenderDelay",
     .type = &mox__type_bool,
     .offset = AT(no_first_time_sender_delay),
     .doc =
         "Deliver mail of senders that are not known at once, without the FirstTimeSenderDelay of "
         "mox.conf."},
};
#undef AT
const struct value_type mox__config_account_type =
    STRUCT_TYPE(struct mox_config_account, account_fields, mox__check_account);
