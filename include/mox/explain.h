/* SPDX-License-Identifier: MIT */
#ifndef MOX_EXPLAIN_H
#define MOX_EXPLAIN_H

#include <mox/checks.h>
#include <mox/config.h>
#include <mox/store.h>

MOX_BEGIN_DECLS

/**
 * @file
 * Why a message is where it is, for people who ask and for their programs. `mox explain` prints it, and the
 * control socket of a running server gives it.
 *
 * Of libmoxd, which stands on libmox: link with `pkg-config --libs moxd`.
 */

/** In whose name is asked. Borrowed for the call. */
struct mox_explain {
    size_t size;                     /* sizeof(struct mox_explain) */
    const struct mox_config *config; /* what is configured for the account */
    struct mox_account *account;
    bool json; /* one JSON object, in ASCII, instead of lines */
};

/**
 * A stored message: what was decided when it came and on what grounds, and what its account would say now: whether
 * its sender is known, what the junk filter thinks and which words say most, where it would go. Reads the disk.
 *
 * @param out  a text with its NUL, in printable ASCII; freed with mox_text_free()
 * @return MOX_ENOTFOUND: no such mailbox or message; MOX_EIO, MOX_ECORRUPT, MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_explain_stored(char **out, const struct mox_env *env,
                                            const struct mox_explain *explain, const char *mailbox,
                                            uint32_t uid, struct mox_error *err);

/** A message as if it came now. Texts are never NULL; borrowed for the call. */
struct mox_explain_incoming {
    size_t size;                          /* sizeof(struct mox_explain_incoming) */
    const struct mox_checks_query *query; /* that `checks` answers: the client, and MAIL FROM */
    const struct mox_checks_verdict *checks;
    struct mox_slice content; /* as received, with CRLF */
    const char *recipient;    /* an address of the account; "": the first that it has */
    bool tls;
    bool lenient; /* as in struct mox_analysis_facts */
    /** What the lists of blocked addresses said, when they were asked: the zone of the first that has the client,
     *  "" for none. NULL: not asked yet. */
    const char *listed_in;
    /** The configured limits on deliveries hold, by what came into the account if it counts that; see struct
     *  mox_account_config. */
    bool limits;
};

/** The defaults: with TLS, no lists asked. */
MOX_API void mox_explain_incoming_init(struct mox_explain_incoming *incoming);

/**
 * What the account would do with a message: each rule that is looked at, the one that decides, the mailbox. Nothing is
 * stored. Reports that the message may bring are left out; the junk filter's threshold is taken without chance. Reads
 * the disk.
 *
 * @return MOX_OK; MOX_NEED_DNS: lists of blocked addresses are configured, and nothing else has decided: ask
 *         mox_explain_lists() and call again; MOX_ENOTFOUND: the address is not the account's; MOX_EIO, MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_explain_received(char **out, const struct mox_env *env,
                                              const struct mox_explain *explain,
                                              const struct mox_explain_incoming *incoming,
                                              struct mox_error *err);

/** Asks the lists of all listeners about a client. *zone is the first that has it, "" for none; borrowed from the
 *  configuration. @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_explain_lists(const struct mox_config *config, const char *ip,
                                           struct mox_dns_answers *answers, const char **zone);

MOX_END_DECLS

#endif
