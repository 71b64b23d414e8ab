/* SPDX-License-Identifier: MIT */
#ifndef MOX_RULESET_H
#define MOX_RULESET_H

#include <mox/env.h>
#include <mox/error.h>
#include <mox/mailstore.h>

MOX_BEGIN_DECLS

/**
 * @file
 * Rules that people write, with regular expressions (PCRE2): which mailbox a message goes to, and what
 * a mailbox says of the messages in it. Expressions are not anchored. However they and the texts are
 * made, matching takes a bounded time: one that takes longer does not match.
 */

struct mox_ruleset_header {
    const char *name, *value; /* expressions, lower case */
};

/** One ruleset. Texts are never NULL; "": that condition is not set. All that are set must hold, and one
 *  must be set. */
struct mox_ruleset {
    const char *smtp_mail_from_regexp; /* the address of MAIL FROM */
    const char *msg_from_regexp;       /* local@domain of the one address in From */
    const char
        *verified_domain; /* a domain that SPF or DKIM proves, or a parent of it; Unicode form */
    struct {
        struct mox_ruleset_header *items;
        size_t count;
    } headers; /* each must match a header field: in lower case, values trimmed */
    /* what follows from it */
    const char *list_allow_domain;
    bool is_forward;
    const char *accept_rejects_to_mailbox;
    const char *mailbox;
    const char *comment;
};

/** Rulesets, ready to be matched. Immutable. Threads: any. */
struct mox_rulesets;

/** @param list  copied; *bad is the one that is wrong, with MOX_ESYNTAX
 *  @return MOX_OK, MOX_ENOMEM, MOX_ESYNTAX with a text, MOX_EUNSUPPORTED: built without PCRE2 */
MOX_API MOX_MUST_USE int mox_rulesets_new(struct mox_rulesets **out, const struct mox_env *env,
                                          const struct mox_ruleset *list, size_t count, size_t *bad,
                                          struct mox_error *err);
MOX_API void mox_rulesets_free(struct mox_rulesets *rulesets);

/** What rulesets look at. Texts are borrowed, never NULL. Domains in Unicode form. */
struct mox_ruleset_query {
    const char *mail_from;                          /* address; "": the null path */
    const char *msg_from;                           /* local@domain; "": absent */
    const char *verified_ehlo, *verified_mail_from; /* domains that SPF passes for; else "" */
    const char *const *dkim_domains;
    size_t dkim_domain_count;
    struct mox_slice headers; /* as received, nothing of ours */
};

/** The first that matches. @return MOX_OK with *index; MOX_ENOTFOUND: none; MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_rulesets_match(const struct mox_rulesets *rulesets,
                                            const struct mox_ruleset_query *query, size_t *index);

/** AutomaticJunkFlags. Expressions for names of mailboxes in lower case; "": none. */
struct mox_junk_flags_config {
    bool enabled;
    const char *junk_regexp, *neutral_regexp, *notjunk_regexp;
};

/** Immutable. Threads: any. */
struct mox_junk_flags;

MOX_API MOX_MUST_USE int mox_junk_flags_new(struct mox_junk_flags **out, const struct mox_env *env,
                                            const struct mox_junk_flags_config *config,
                                            struct mox_error *err);
MOX_API void mox_junk_flags_free(struct mox_junk_flags *flags);
/** What a mailbox says: an enum mox_junk_meaning. `user` is a struct mox_junk_flags: for struct
 *  mox_account_config. */
MOX_API int mox_junk_flags_meaning(void *user, const char *mailbox);

MOX_END_DECLS

#endif
