/* SPDX-License-Identifier: MIT */
#include "server/zone_resolver.h"

#include "base/text.h"

static int look_up(const struct zone_resolver *z, struct mox_dns_answers *answers,
                   const struct mox_dns_question *q, const struct mox_dns_answer **out)
{
    int rc = mox_dns_ask(answers, slice_of(q->name), q->type, out);
    if (rc != MOX_NEED_DNS)
        return rc;
    rc = mox_dns_zone_answer(z->zone, answers);
    return rc < 0 ? rc : mox_dns_ask(answers, slice_of(q->name), q->type, out);
}

static void start(void *user, struct mox_dns_lookup *lookup)
{
    const struct zone_resolver *z = user;
    const struct mox_dns_answer failed = {.question = lookup->question, .status = MOX_DNS_SERVFAIL};
    const struct mox_dns_answer *answer = &failed;
    struct mox_dns_answers *answers;
    int rc = mox_dns_answers_new(&answers, &z->env);
    if (rc == MOX_OK)
        rc = look_up(z, answers, &lookup->question, &answer);
    lookup->done(lookup, rc == MOX_OK ? answer : &failed);
    mox_dns_answers_free(answers);
}

/* Nothing is ever under way. */
static void cancel(void *user, struct mox_dns_lookup *lookup)
{
    (void)user;
    (void)lookup;
}

int mox__zone_resolver_init(struct zone_resolver *z, const struct mox_env *env, const char *text,
                            struct mox_error *err)
{
    z->env = *env;
    z->resolver = (struct mox_resolver){
        .size = sizeof z->resolver, .user = z, .start = start, .cancel = cancel};
    return mox_dns_zone_parse(&z->zone, &z->env, slice_of(text), "built-in names", err);
}

void mox__zone_resolver_done(struct zone_resolver *z)
{
    mox_dns_zone_free(z->zone);
    z->zone = NULL;
}
