/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/text.h"
#include "mailauth/dkim_check.h"

#define US_PER_S INT64_C(1000000)
/* What the values of a header's signatures take, decoded. */
#define ARENA_MAX (8 * 1024 * 1024)

struct mox_dkim_verify {
    struct mox_env env;
    struct arena arena;
    struct mox_signed_message *message;
    struct mox_dkim_config config;
    struct signature_check *checks; /* from the top */
    size_t count;
};

const char *mox_dkim_status_name(enum mox_dkim_status status)
{
    static const char *const names[] = {"none",    "pass",      "fail",     "policy",
                                        "neutral", "temperror", "permerror"};
    return names[status];
}

void mox_dkim_config_init(struct mox_dkim_config *config)
{
    *config = (struct mox_dkim_config){.size = sizeof *config};
}

static void fill_result(struct signature_check *c)
{
    const struct dkim_signature *s = &c->signature;
    struct mox_dkim_result *r = &c->result;
    *r = (struct mox_dkim_result){.domain = s->domain,
                                  .selector = s->selector,
                                  .algorithm = s->algorithm,
                                  .identity = s->identity,
                                  .signature = s->begin,
                                  .reason = "",
                                  .signed_us = (int64_t)s->signed_s * US_PER_S,
                                  .expires_us = (int64_t)s->expires_s * US_PER_S};
    r->flags |= s->limit != UINT64_MAX ? MOX_DKIM_BODY_LIMITED : 0;
    r->flags |= mox__dkim_names(s, "subject") ? 0 : MOX_DKIM_SUBJECT_UNSIGNED;
    r->flags |= s->hash == HASH_SHA1 ? MOX_DKIM_WEAK_HASH : 0;
}

/* What can be said before the key is known. */
static int begin(struct mox_dkim_verify *v, struct signature_check *c,
                 const struct signed_field *field)
{
    const char *problem = NULL;
    int rc = mox__dkim_signature_parse(&c->signature, &v->arena, field, SIGNATURE_DKIM, &problem);
    if (rc == MOX_ENOMEM)
        return rc;
    fill_result(c);
    if (rc < 0)
        mox__check_end(c, MOX_DKIM_PERMERROR, problem);
    else if (v->message->too_long != NULL)
        mox__check_end(c, MOX_DKIM_POLICY, v->message->too_long);
    else if (v->count > MOX_DKIM_SIGNATURES_MAX)
        mox__check_end(c, MOX_DKIM_POLICY, "too many signatures are above this one");
    else
        mox__check_rules(c, &v->config);
    return MOX_OK;
}

static int read_signatures(struct mox_dkim_verify *v)
{
    const struct mox_signed_message *m = v->message;
    size_t count = 0;
    int rc = MOX_OK;
    if (m->problem != NULL)
        return MOX_OK;
    for (size_t i = 0; i < m->field_count; i++)
        count += mox__slice_is_nocase(m->fields[i].name, "DKIM-Signature");
    v->checks = mem_new(&v->env, struct signature_check, count + 1);
    if (v->checks == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; rc == MOX_OK && i < m->field_count; i++)
        if (mox__slice_is_nocase(m->fields[i].name, "DKIM-Signature")) {
            struct signature_check *c = &v->checks[v->count++];
            rc = begin(v, c, &m->fields[i]);
        }
    return rc;
}

int mox_dkim_verify_new(struct mox_dkim_verify **out, const struct mox_env *env,
                        struct mox_signed_message *message, const struct mox_dkim_config *config)
{
    *out = NULL;
    struct mox_dkim_verify *v = mem_new(env, struct mox_dkim_verify, 1);
    if (v == NULL)
        return MOX_ENOMEM;
    v->env = *env;
    mox__arena_init(&v->arena, &v->env, ARENA_MAX);
    v->message = message;
    mox_dkim_config_init(&v->config);
    memcpy(&v->config, config, config->size < sizeof v->config ? config->size : sizeof v->config);
    if (read_signatures(v) < 0) {
        mox_dkim_verify_free(v);
        return MOX_ENOMEM;
    }
    *out = v;
    return MOX_OK;
}

void mox_dkim_verify_free(struct mox_dkim_verify *v)
{
    if (v == NULL)
        return;
    struct mox_env env = v->env;
    mox__arena_reset(&v->arena);
    mox__mem_free(&env, v->checks);
    mox__mem_free(&env, v);
}

int mox_dkim_verify_run(struct mox_dkim_verify *v, struct mox_dns_answers *answers)
{
    bool waits = false;
    for (size_t i = 0; i < v->count; i++) {
        if (v->checks[i].state != CHECK_KEY)
            continue;
        int rc = mox__check_key(&v->checks[i], v->message, answers, NULL);
        if (rc < 0)
            return rc;
        waits = waits || rc == MOX_NEED_DNS;
    }
    if (waits)
        return MOX_NEED_DNS;
    mox__body_hash_run(v->message);
    for (size_t i = 0; i < v->count; i++)
        if (v->checks[i].state == CHECK_BODY)
            mox__check_body(&v->checks[i], v->message);
    return MOX_OK;
}

size_t mox_dkim_result_count(const struct mox_dkim_verify *v)
{
    return v->count;
}

const struct mox_dkim_result *mox_dkim_result_at(const struct mox_dkim_verify *v, size_t i)
{
    return &v->checks[i].result;
}

const char *mox_dkim_problem(const struct mox_dkim_verify *v)
{
    return v->message->problem;
}
