/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_REPUTATION_H
#define DELIVERY_REPUTATION_H

#include <mox/reputation.h>

#include "base/priv.h"

/* A sender is looked up in steps, and the first that finds anything decides:
 *
 *     reputation.c          the order, and what steps share
 *     reputation_from.c     the address in From, its domain, its organizational domain
 *     reputation_dkimspf.c  domains that vouch for the message
 *     reputation_ip.c       the network that it comes from */

#define DAY_US  (INT64_C(24) * 60 * 60 * 1000000)
#define YEAR_US (365 * DAY_US)

/* The most that any step looks at: every look-up costs the same, however much there is. */
#define JUDGED_MAX 50

/* Messages of one sender, the newest first. */
struct past {
    struct mox_judged messages[JUDGED_MAX];
    size_t count, junk;
};

/* One look-up on its way through the steps. */
struct lookup {
    const struct mox_reputation_query *query;
    const struct mox_history *history;
    struct mox_reputation *out;
    struct mox_error *err;
};

/* What a step may return besides a failure. */
enum found {
    FOUND_NOTHING = 0, /* on to the next step */
    FOUND = 1
};

/* What a step is about: the address in From, its domain … */
struct step {
    enum mox_reputation_method method;
    enum mox_addressee scope; /* of steps about From */
    int (*look)(struct lookup *l, const struct step *step);
};

/* At most `max` judged messages of a sender, of the last `age_us`. None for an empty name, and when there is
 * no mailbox yet. MOX_OK, or the history's failure. */
MOX_MUST_USE int mox__past_find(struct lookup *l, enum mox_sender sender, const char *localpart,
                                const char *name, int64_t age_us, size_t max, struct past *past);

/* Keeps what a step found, in words; printable ASCII, cut. Returns FOUND_NOTHING. */
int mox__step_note(struct lookup *l, const struct step *step, const struct past *past,
                   const char *format, ...) MOX_PRINTF(4, 5);
/* The step noted last decides. Returns FOUND. */
int mox__step_decide(struct lookup *l, enum mox_leaning leaning, bool conclusive);

/* "s" for more messages than one. */
static inline const char *plural(const struct past *past)
{
    return past->count == 1 ? "" : "s";
}

/* A domain as ASCII has it, for texts. */
struct shown {
    char text[100];
};
struct shown mox__domain_shown(const char *domain);

int mox__look_from(struct lookup *l, const struct step *step);
int mox__look_written_to(struct lookup *l, const struct step *step);
int mox__look_vouched(struct lookup *l, const struct step *step);
int mox__look_network(struct lookup *l, const struct step *step);

#endif
