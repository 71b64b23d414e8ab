/* SPDX-License-Identifier: MIT */
#include "server/smtp_checks.h"

#include <mox/header.h>

#include "base/text.h"

static unsigned draw_percent(const struct mox_env *env)
{
    uint8_t r[4];
    env->random(env->user, r, sizeof r);
    return ((unsigned)r[0] << 16 | (unsigned)r[1] << 8 | r[2]) % 100;
}

static struct mox_checks_query make_query(const struct smtp_session *ss,
                                          const struct mox_smtp_envelope *e)
{
    const struct mox_server *s = ss->server;
    struct mox_checks_query q;
    mox_checks_query_init(&q);
    q.ip = e->peer->remote_ip;
    q.helo = e->hello;
    q.helo_is_literal = e->hello_is_literal;
    q.mail_from_localpart = e->mail_from.localpart;
    q.mail_from_domain = e->mail_from.domain;
    q.authserv_id = e->hostname;
    q.now_us = s->env.wall_us(s->env.user);
    q.draw = draw_percent(&s->env);
    q.pedantic = s->pedantic;
    q.localhost_signs = s->config.localserve;
    return q;
}

struct mox_spf_query mox__smtp_spf_query(const struct smtp_session *ss,
                                         const struct mox_smtp_envelope *e)
{
    const struct mox_env *env = &ss->server->env;
    struct mox_spf_query q;
    mox_spf_query_init(&q);
    q.ip = e->peer->remote_ip;
    q.helo = e->hello;
    q.helo_is_literal = e->hello_is_literal;
    q.mail_from_localpart = e->mail_from.localpart;
    q.mail_from_domain = e->mail_from.domain;
    q.receiver = e->hostname;
    q.now_us = env->wall_us(env->user);
    return q;
}

static int begin(struct smtp_checks *c, const struct smtp_session *ss,
                 const struct mox_smtp_envelope *envelope)
{
    struct mox_slice content, value;
    const struct mox_checks_query query = make_query(ss, envelope);
    int rc = mox_spool_bytes(ss->spool, &content);
    if (rc == MOX_OK)
        rc = mox_checks_new(&c->checks, &ss->server->env, &query, content);
    if (rc < 0)
        return rc;
    /* The first run asks for keys; those after it have them. */
    c->computes = mox_spool_fd(ss->spool) >= 0 ||
                  mox_header_find(content, "DKIM-Signature", &value) ||
                  mox_header_find(content, "ARC-Seal", &value);
    return MOX_OK;
}

static int write_lines(struct smtp_checks *c, const struct mox_env *env)
{
    char *results, *spf;
    int rc = mox_checks_headers(c->checks, &results, &spf);
    if (rc < 0)
        return rc;
    mox__buf_init(&c->lines, env, strlen(results) + strlen(spf));
    mox__buf_text(&c->lines, results);
    mox__buf_text(&c->lines, spf);
    mox_text_free(env, results);
    mox_text_free(env, spf);
    return c->lines.failed ? MOX_ENOMEM : MOX_OK;
}

int mox__smtp_checks_run(struct smtp_checks *c, const struct smtp_session *ss,
                         const struct mox_smtp_envelope *envelope, struct mox_dns_answers *answers)
{
    int rc = c->checks == NULL ? begin(c, ss, envelope) : MOX_OK;
    if (rc == MOX_OK)
        rc = mox_checks_run(c->checks, answers);
    return rc == MOX_OK ? write_lines(c, &ss->server->env) : rc;
}

const struct mox_checks_verdict *mox__smtp_checks_verdict(const struct smtp_checks *c)
{
    return mox_checks_verdict(c->checks);
}

void mox__smtp_checks_free(struct smtp_checks *c)
{
    if (c->checks == NULL)
        return;
    mox_checks_free(c->checks);
    if (c->lines.env != NULL)
        mox__buf_free(&c->lines);
}
