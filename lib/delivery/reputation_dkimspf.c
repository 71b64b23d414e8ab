/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/text.h"
#include "delivery/reputation.h"

/* What is known of the domains that vouch for a message: that signed it, and that SPF proves. */

#define AGE_US (YEAR_US / 2)
/* A share of junk below, or above, is a signal; between them there is none. */
#define GOOD_BELOW .1
#define BAD_ABOVE  .9
/* Of one message a domain is not condemned. */
#define MESSAGES_MIN 2

struct signals {
    unsigned good, bad, none; /* domains with a past */
    struct past most;         /* of the domain with the most messages */
    char text[140];
    struct buf words; /* over text */
};

static void add(struct signals *s, const char *how, const char *name, const struct past *past)
{
    if (past->count == 0)
        return;
    const double share = (double)past->junk / (double)past->count;
    if (share < GOOD_BELOW)
        s->good++;
    else if (share > BAD_ABOVE)
        s->bad++;
    else
        s->none++;
    if (past->count > s->most.count)
        s->most = *past;
    mox__buf_printf(&s->words, "%s%s %s: %zu message%s, %zu junk", s->words.len > 0 ? ", " : "",
                    how, mox__domain_shown(name).text, past->count, plural(past), past->junk);
}

static int add_signatures(struct lookup *l, struct signals *s)
{
    const struct mox_reputation_query *q = l->query;
    struct past past;
    for (size_t i = 0; i < q->dkim_domain_count; i++) {
        int rc =
            mox__past_find(l, MOX_SENDER_DKIM, NULL, q->dkim_domains[i], AGE_US, JUDGED_MAX, &past);
        if (rc < 0)
            return rc;
        add(s, "dkim", q->dkim_domains[i], &past);
    }
    return MOX_OK;
}

/* One signal, of the narrowest name that has a past: the address of MAIL FROM, its domain, EHLO. */
static int add_spf(struct lookup *l, struct signals *s)
{
    const struct mox_reputation_query *q = l->query;
    const struct {
        bool proved;
        enum mox_sender sender;
        const char *localpart, *domain;
    } names[] = {
        {q->mail_from_validated, MOX_SENDER_MAIL_FROM, q->mail_from_localpart, q->mail_from_domain},
        {q->mail_from_validated, MOX_SENDER_MAIL_FROM_DOMAIN, NULL, q->mail_from_domain},
        {q->ehlo_validated, MOX_SENDER_EHLO, NULL, q->ehlo_domain},
    };
    struct past past = {.count = 0};
    for (size_t i = 0; i < sizeof names / sizeof names[0] && past.count == 0; i++) {
        if (!names[i].proved)
            continue;
        int rc = mox__past_find(l, names[i].sender, names[i].localpart, names[i].domain, AGE_US,
                                JUDGED_MAX, &past);
        if (rc < 0)
            return rc;
        add(s, "spf", names[i].domain, &past);
    }
    return MOX_OK;
}

int mox__look_vouched(struct lookup *l, const struct step *step)
{
    struct signals s = {.good = 0};
    s.words = buf_over(s.text, sizeof s.text - 1);
    int rc = add_signatures(l, &s);
    if (rc == MOX_OK)
        rc = add_spf(l, &s);
    if (rc < 0)
        return rc;
    s.text[s.words.len] = '\0';
    if (s.good + s.bad + s.none == 0)
        return mox__step_note(l, step, &s.most, "nothing of domains that vouch for it");
    mox__step_note(l, step, &s.most, "%s%s", s.text, s.words.failed ? ", ..." : "");
    if (s.good > 0 && s.bad + s.none == 0)
        return mox__step_decide(l, MOX_LEANING_NOTJUNK, true);
    if (s.bad > 0 && s.good + s.none == 0)
        return mox__step_decide(l, MOX_LEANING_JUNK, s.most.count >= MESSAGES_MIN);
    return mox__step_decide(l, MOX_LEANING_UNKNOWN, false);
}
