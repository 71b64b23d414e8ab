/* SPDX-License-Identifier: MIT */
#ifndef MOX_ARC_H
#define MOX_ARC_H

#include <mox/dkim.h>

MOX_BEGIN_DECLS

/** The state of a chain (RFC 8617 §4.1.3 cv=): no ARC fields, a valid chain, a broken one; or a key that
 *  cannot be had now, which may be found later: to other servers that is "fail" (§5.4). */
enum mox_arc_status { MOX_ARC_NONE, MOX_ARC_PASS, MOX_ARC_FAIL, MOX_ARC_TEMPERROR };

/** "none", "pass", "fail", "temperror". */
MOX_API const char *mox_arc_status_name(enum mox_arc_status status);

/** RFC 8617 §4.2.1. */
#define MOX_ARC_INSTANCES_MAX 50

/** One ARC set. Texts live as long as the check; "" when unreadable. */
struct mox_arc_instance {
    unsigned instance; /* i= */
    const char *seal_domain, *seal_selector;
    const char *domain, *selector; /* of ARC-Message-Signature */
    struct mox_slice results;      /* value of ARC-Authentication-Results, as written */
    bool message_checked;          /* not when the chain has no structure */
    bool message_valid;
    const char *reason; /* why its seal, or else its message signature, does not hold; "" */
};

/**
 * Verifies a chain (RFC 8617 §5.2). All keys are asked for in one round, those of older message signatures
 * too: they only tell oldest_pass. One of these with l= counts as broken, since its hash of the body would be
 * its own.
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_arc_verify;

/** @param message  borrowed while the check lives
 *  @param config   as for DKIM; x= and the like of ARC-Message-Signature are judged by it */
MOX_API MOX_MUST_USE int mox_arc_verify_new(struct mox_arc_verify **out, const struct mox_env *env,
                                            struct mox_signed_message *message,
                                            const struct mox_dkim_config *config);
/** NULL is fine. */
MOX_API void mox_arc_verify_free(struct mox_arc_verify *v);

/** @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_arc_verify_run(struct mox_arc_verify *v,
                                            struct mox_dns_answers *answers);

struct mox_arc_verdict {
    enum mox_arc_status status;
    const char *reason; /* "" for pass and none */
    const struct mox_arc_instance
        *instances; /* from the first; none when the sets are incomplete */
    size_t count;
    unsigned oldest_pass; /* RFC 8617 §5.2: the lowest instance from which on all message signatures
                             hold; 0: all of them do; count + 1: not even the newest */
    bool secure;
};

/** After MOX_OK. Lives as long as the check. */
MOX_API const struct mox_arc_verdict *mox_arc_verdict(const struct mox_arc_verify *v);

/** What a set is made with (RFC 8617 §5.1). Borrowed for the call. */
struct mox_arc_sealer {
    size_t size; /* sizeof(struct mox_arc_sealer) */
    struct mox_dkim_key *key;
    const char *domain, *selector;
    const char *authserv_id;
    struct mox_slice
        results; /* what this hop found out: the resinfo of RFC 8601 §2.2, "spf=pass …; …" */
    const char *const *headers; /* for h=, ended by NULL; NULL: as for DKIM, and DKIM-Signature */
    int64_t now_us;             /* wall clock, for t= */
    bool unfolded; /* b= in one piece instead of lines of 72 columns: seals cover where those end */
};

MOX_API void mox_arc_sealer_init(struct mox_arc_sealer *sealer);

/**
 * Adds a set: the three fields with their CRLF, to be put in front of the message. A chain that is broken, or
 * whose keys cannot be had, gets a seal with cv=fail that covers the new set alone (RFC 8617 §5.1.2).
 *
 * @param message  as it goes out, which may have been changed
 * @param verify  the check of the message as it came, after MOX_OK
 * @param out     as in mox_dkim_sign()
 * @return MOX_EREFUSED: the newest set of the message says cv=fail, or has instance 50: none may be
 *         added; MOX_EINVAL: a sealer or a header that makes no sense; MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_arc_seal(char **out, const struct mox_env *env,
                                      struct mox_signed_message *message,
                                      const struct mox_arc_verify *verify,
                                      const struct mox_arc_sealer *sealer, struct mox_error *err);

MOX_END_DECLS

#endif
