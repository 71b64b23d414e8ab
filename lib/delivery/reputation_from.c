/* SPDX-License-Identifier: MIT */
#include "delivery/reputation.h"

/* What is known of who is in From, and whether the user wrote to them. */

/* Of these the newest say whether an address is one for junk. */
#define NEWEST 2
/* Of a domain's messages. */
#define DOMAIN_MAX 20
/* More than so many percent of a domain's messages are wanted: so is the next. */
#define WANTED_PERCENT 80
/* So many addresses of a domain sent nothing but junk: so will others. */
#define SENDERS_MIN 3

/* A step's part of From. */
struct part {
    const char *localpart, *domain, *noun;
    enum mox_sender proved, unproved;
    int64_t age_us;
};

static struct part part_of(const struct mox_reputation_query *q, enum mox_addressee scope)
{
    switch (scope) {
    case MOX_ADDRESSEE_FULL:
        return (struct part){q->from_localpart, q->from_domain,           "the address in ",
                             MOX_SENDER_FROM,   MOX_SENDER_FROM_UNPROVED, 3 * YEAR_US};
    case MOX_ADDRESSEE_DOMAIN:
        return (struct part){
            NULL,       q->from_domain, "", MOX_SENDER_FROM_DOMAIN, MOX_SENDER_FROM_DOMAIN_UNPROVED,
            2 * YEAR_US};
    default:
        return (struct part){NULL,
                             q->from_org_domain,
                             "the organization of ",
                             MOX_SENDER_FROM_ORG_DOMAIN,
                             MOX_SENDER_FROM_ORG_DOMAIN_UNPROVED,
                             2 * YEAR_US};
    }
}

static bool is_absent(const struct mox_reputation_query *q, const struct part *p)
{
    /* Nobody has an address without a localpart, so only its domain says something. */
    const bool is_nobody = p->localpart != NULL && p->localpart[0] == '\0';
    return is_nobody || q->from_domain[0] == '\0' || p->domain[0] == '\0';
}

/* One mistake of the user's, or one message that got through, does not turn an address over. */
static bool newest_are_junk(const struct past *past)
{
    const struct mox_judged *m = past->messages;
    return past->count > 0 && m[0].junk && (past->count == 1 || m[1].junk);
}

static size_t distinct_senders(const struct past *past)
{
    size_t n = 0;
    for (size_t i = 0; i < past->count; i++) {
        size_t k = 0;
        while (past->messages[k].localpart_hash != past->messages[i].localpart_hash)
            k++;
        n += k == i;
    }
    return n;
}

static int decide_address(struct lookup *l, const struct past *past)
{
    return mox__step_decide(l, newest_are_junk(past) ? MOX_LEANING_JUNK : MOX_LEANING_NOTJUNK,
                            l->query->from_validated);
}

static int decide_domain(struct lookup *l, const struct past *past)
{
    const size_t wanted = past->count - past->junk;
    if (wanted * 100 / past->count > WANTED_PERCENT)
        return mox__step_decide(l, MOX_LEANING_NOTJUNK, true);
    if (wanted == 0)
        return mox__step_decide(l, MOX_LEANING_JUNK, distinct_senders(past) >= SENDERS_MIN);
    return mox__step_decide(l, MOX_LEANING_UNKNOWN, false);
}

/* Somebody whose messages came with a proof so far, and this one without: it is not them, whatever they
 * are. If they send junk, so much the worse. */
static int look_for_the_real_one(struct lookup *l, const struct step *step, const struct part *p,
                                 const struct shown *name)
{
    struct past past;
    int rc = mox__past_find(l, p->proved, p->localpart, p->domain, p->age_us, NEWEST, &past);
    if (rc < 0)
        return rc;
    if (past.count == 0)
        return mox__step_note(l, step, &past, "nothing of %s%s", p->noun, name->text);
    mox__step_note(l, step, &past, "not proved, unlike %zu message%s of %s%s, %zu junk", past.count,
                   plural(&past), p->noun, name->text, past.junk);
    return mox__step_decide(l, MOX_LEANING_JUNK, newest_are_junk(&past));
}

int mox__look_from(struct lookup *l, const struct step *step)
{
    const struct mox_reputation_query *q = l->query;
    const struct part p = part_of(q, step->scope);
    const bool is_address = step->scope == MOX_ADDRESSEE_FULL;
    struct past past;
    if (is_absent(q, &p))
        return FOUND_NOTHING;
    const struct shown name = mox__domain_shown(p.domain);
    int rc = mox__past_find(l, q->from_validated ? p.proved : p.unproved, p.localpart, p.domain,
                            p.age_us, is_address ? NEWEST : DOMAIN_MAX, &past);
    if (rc < 0)
        return rc;
    if (past.count == 0 && !q->from_validated)
        return look_for_the_real_one(l, step, &p, &name);
    if (past.count == 0)
        return mox__step_note(l, step, &past, "nothing of %s%s", p.noun, name.text);
    mox__step_note(l, step, &past, "%zu message%s of %s%s, %zu junk%s", past.count, plural(&past),
                   p.noun, name.text, past.junk, q->from_validated ? "" : ", not proved");
    return is_address ? decide_address(l, &past) : decide_domain(l, &past);
}

int mox__look_written_to(struct lookup *l, const struct step *step)
{
    const struct mox_reputation_query *q = l->query;
    const struct part p = part_of(q, step->scope);
    const struct past nothing = {.count = 0};
    int64_t last_us = 0;
    if (is_absent(q, &p))
        return FOUND_NOTHING;
    const struct shown name = mox__domain_shown(p.domain);
    int rc = l->history->wrote_to(l->history->user, step->scope, p.localpart, p.domain, &last_us,
                                  l->err);
    if (rc < 0)
        return rc;
    if (last_us == 0 || last_us < q->now_us - p.age_us)
        return mox__step_note(l, step, &nothing, "not written to");
    mox__step_note(l, step, &nothing, "the user wrote to %s%s %lld days ago", p.noun, name.text,
                   (long long)((q->now_us - last_us) / DAY_US));
    return mox__step_decide(l, MOX_LEANING_NOTJUNK, true);
}
