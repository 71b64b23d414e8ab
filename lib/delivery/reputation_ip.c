/* SPDX-License-Identifier: MIT */
#include "base/ip.h"
#include "base/text.h"
#include "delivery/reputation.h"

/* What is known of the network that a message comes from: addresses change hands, so not for long. */

#define AGE_US (YEAR_US / 4)
/* A share of junk below, or above, is a leaning. */
#define GOOD_BELOW .25
#define BAD_ABOVE  .75
/* And from here on, with enough messages, the answer. */
#define GOOD_UP_TO .1
#define BAD_FROM   .9

static enum mox_leaning leaning_of(double share)
{
    return share < GOOD_BELOW  ? MOX_LEANING_NOTJUNK
           : share > BAD_ABOVE ? MOX_LEANING_JUNK
                               : MOX_LEANING_UNKNOWN;
}

int mox__look_network(struct lookup *l, const struct step *step)
{
    static const size_t enough[] = {2, 5, 10}; /* messages: the wider the network, the more */
    const unsigned width = (unsigned)(step->method - MOX_REPUTATION_IP1);
    struct past past;
    struct ip ip, mask;
    char name[IP_TEXT_MAX];
    if (!mox__ip_parse(slice_of(l->query->ip), &ip))
        return FOUND_NOTHING;
    mox__ip_mask(&ip, width + 1, &mask);
    mox__ip_format(&mask, name);
    int rc = mox__past_find(l, (enum mox_sender)(MOX_SENDER_IP1 + width), NULL, name, AGE_US,
                            JUDGED_MAX, &past);
    if (rc < 0)
        return rc;
    if (past.count == 0)
        return mox__step_note(l, step, &past, "nothing from %s", name);
    mox__step_note(l, step, &past, "%zu message%s from %s, %zu junk", past.count, plural(&past),
                   name, past.junk);
    const double share = (double)past.junk / (double)past.count;
    return mox__step_decide(l, leaning_of(share),
                            past.count >= enough[width] &&
                                (share <= GOOD_UP_TO || share >= BAD_FROM));
}
