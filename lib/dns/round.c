/* SPDX-License-Identifier: MIT */
#include <mox/resolver.h>

#include "base/mem.h"

struct question {
    struct mox_dns_lookup lookup;
    bool is_answered;
};

struct mox_dns_round {
    struct mox_env env;
    /* A copy: a resolver that has forgotten its lookups may be gone when the round is cancelled. */
    struct mox_resolver resolver;
    struct mox_dns_answers *answers; /* borrowed */
    void (*done)(void *user, int rc);
    void *user;
    struct question *questions;
    size_t count;
    size_t pending; /* questions without an answer, and one more while they are being asked */
    int rc;         /* the first failure of the set */
};

static void free_round(struct mox_dns_round *r)
{
    struct mox_env env = r->env;
    mox__mem_free(&env, r->questions);
    mox__mem_free(&env, r);
}

/* The host may free everything in `done`, so the round goes first. */
static void finish(struct mox_dns_round *r)
{
    void (*done)(void *user, int rc) = r->done;
    void *user = r->user;
    int rc = r->rc;
    free_round(r);
    done(user, rc);
}

static void answered(struct mox_dns_lookup *lookup, const struct mox_dns_answer *answer)
{
    struct question *q = container_of(lookup, struct question, lookup);
    struct mox_dns_round *r = lookup->user;
    q->is_answered = true;
    struct mox_dns_answer copy = *answer; /* to what was asked, whatever the resolver calls it */
    copy.question = lookup->question;
    int rc = mox_dns_put(r->answers, &copy);
    if (r->rc == MOX_OK)
        r->rc = rc;
    if (--r->pending == 0)
        finish(r);
}

static struct mox_dns_round *new_round(const struct mox_env *env, struct mox_dns_answers *answers)
{
    struct mox_dns_round *r = mem_new(env, struct mox_dns_round, 1);
    if (r == NULL)
        return NULL;
    r->env = *env;
    const struct mox_dns_question *wanted;
    r->count = mox_dns_wanted(answers, &wanted);
    r->questions = mem_new(env, struct question, r->count > 0 ? r->count : 1);
    if (r->questions == NULL) {
        free_round(r);
        return NULL;
    }
    for (size_t i = 0; i < r->count; i++)
        r->questions[i].lookup =
            (struct mox_dns_lookup){.question = wanted[i], .done = answered, .user = r};
    r->answers = answers;
    r->pending = r->count + 1;
    return r;
}

int mox_dns_round_start(struct mox_dns_round **out, const struct mox_env *env,
                        const struct mox_resolver *resolver, struct mox_dns_answers *answers,
                        void (*done)(void *user, int rc), void *user)
{
    struct mox_dns_round *r = new_round(env, answers);
    *out = r;
    if (r == NULL)
        return MOX_ENOMEM;
    r->resolver = *resolver;
    r->done = done;
    r->user = user;
    for (size_t i = 0; i < r->count; i++)
        resolver->start(resolver->user, &r->questions[i].lookup);
    if (--r->pending > 0)
        return MOX_OK;
    *out = NULL; /* now: what it is part of may be gone after `done` */
    finish(r);
    return MOX_OK;
}

void mox_dns_round_cancel(struct mox_dns_round *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        if (!r->questions[i].is_answered)
            r->resolver.cancel(r->resolver.user, &r->questions[i].lookup);
    free_round(r);
}
