/* SPDX-License-Identifier: MIT */
#ifndef MOX_RESOLVER_H
#define MOX_RESOLVER_H

#include <mox/dns_answers.h>

MOX_BEGIN_DECLS

/** One question under way. Owned by who asks, and not to be moved or freed until `done` was called or it
 *  was cancelled. */
struct mox_dns_lookup {
    struct mox_dns_question question; /* its name outlives the lookup */
    /** The answer, borrowed for the call. */
    void (*done)(struct mox_dns_lookup *lookup, const struct mox_dns_answer *answer);
    void *user;     /* of who asks */
    void *resolver; /* the resolver's own; NULL before it starts */
};

/**
 * Who answers questions: the ready one of libmoxd, or any of an embedder's. It does not wait.
 *
 * Threads: owned by one thread; its lookups end on that thread.
 */
struct mox_resolver {
    size_t size; /* sizeof(struct mox_resolver) */
    void *user;
    /** Begins. `done` is called exactly once, perhaps before this returns: with MOX_DNS_TIMEOUT or
     *  MOX_DNS_SERVFAIL when there is no answer. */
    void (*start)(void *user, struct mox_dns_lookup *lookup);
    /** Its `done` is not called any more. Not after `done`. */
    void (*cancel)(void *user, struct mox_dns_lookup *lookup);
};

/**
 * All that a set of answers wants, asked at once: one round trip.
 *
 * Threads: as the resolver.
 */
struct mox_dns_round;

/**
 * @param out       the round, to be cancelled; NULL when all is done already. Written before `done` is
 *                  called, and not after.
 * @param resolver  copied; what it stands on is borrowed until done, as are the answers
 * @param done      called once when all have been answered and put in (at once if nothing is wanted),
 *                  perhaps before this returns: rc is MOX_OK, or MOX_ENOMEM or MOX_ELIMIT of the set. The
 *                  round frees itself first: forget it then.
 * @return MOX_OK, or MOX_ENOMEM and `done` is not called
 */
MOX_API MOX_MUST_USE int mox_dns_round_start(struct mox_dns_round **out, const struct mox_env *env,
                                             const struct mox_resolver *resolver,
                                             struct mox_dns_answers *answers,
                                             void (*done)(void *user, int rc), void *user);
/** Gives up, and frees. Only before `done` was called. NULL is fine. */
MOX_API void mox_dns_round_cancel(struct mox_dns_round *round);

MOX_END_DECLS

#endif
