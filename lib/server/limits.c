/* SPDX-License-Identifier: MIT */
#include "server/limits.h"

#include "base/log.h"
#include "base/text.h"
#include "server/metrics.h"

#define MINUTE_US INT64_C(60000000)
#define DAY_US    (24 * 60 * MINUTE_US)
#define LOG_US    INT64_C(1000000)

/* -- making them ------------------------------------------------------------------------------ */

static uint32_t number(int64_t limit)
{
    return limit < 0 || limit > MOX_RATELIMIT_NONE ? MOX_RATELIMIT_NONE : (uint32_t)limit;
}

static void add_window(struct mox_ratelimit_config *config, int64_t length_us,
                       const struct mox_config_limit *l)
{
    config->windows[config->window_count++] = (struct mox_ratelimit_window){
        length_us, {number(l->address), number(l->network), number(l->wide_network)}};
}

static int make_family(struct mox_server *s, enum limit_family family, uint32_t most_open)
{
    const struct mox_config_limits *l = &s->files->mox->limits;
    struct limits *limits = &s->limits;
    struct mox_ratelimit_config config;
    mox_ratelimit_config_init(&config);
    config.name = "connection rate";
    add_window(&config, MINUTE_US, &l->connections_per_minute);
    int rc = mox_ratelimit_new(&limits->rate[family], &s->env, &config);
    if (rc < 0)
        return rc;
    mox_ratelimit_config_init(&config);
    config.name = "open connections";
    config.capacity = most_open;
    add_window(&config, 0, &l->open_connections);
    return mox_ratelimit_new(&limits->open[family], &s->env, &config);
}

static int make_failed_logins(struct mox_server *s)
{
    const struct mox_config_limits *l = &s->files->mox->limits;
    struct mox_ratelimit_config config;
    mox_ratelimit_config_init(&config);
    config.name = "failed logins";
    add_window(&config, MINUTE_US, &l->failed_logins_per_minute);
    add_window(&config, DAY_US, &l->failed_logins_per_day);
    return mox_ratelimit_new(&s->limits.failed_logins, &s->env, &config);
}

int mox__limits_init(struct mox_server *s, size_t max_connections)
{
    const struct mox_env *env = &s->env;
    size_t most_open = max_connections < (1u << 24) ? max_connections : 1u << 24;
    if (!s->config.limits)
        return MOX_OK;
    s->limits.clock_us = env->wall_us(env->user) - env->monotonic_us(env->user);
    int rc = make_failed_logins(s);
    for (unsigned family = 0; rc == MOX_OK && family < LIMIT_FAMILIES; family++)
        rc = make_family(s, (enum limit_family)family,
                         MOX_RATELIMIT_CLASSES * (uint32_t)(most_open + 1));
    return rc;
}

void mox__limits_free(struct mox_server *s)
{
    mox_ratelimit_free(s->limits.failed_logins);
    for (unsigned family = 0; family < LIMIT_FAMILIES; family++) {
        mox_ratelimit_free(s->limits.rate[family]);
        mox_ratelimit_free(s->limits.open[family]);
    }
}

/* -- connections ------------------------------------------------------------------------------ */

/* Windows begin with the minutes and days of the clock as it was at the start; later the clock may be
 * set, and no limit lasts longer for that. */
static int64_t now_us(const struct mox_server *s)
{
    return s->limits.clock_us + s->env.monotonic_us(s->env.user);
}

static enum limit_family family_of(const struct service_endpoint *e)
{
    return e->kind >= SERVE_IMAP ? LIMIT_IMAP : LIMIT_SMTP;
}

/* What the refused are told, before a greeting, and how metrics and the log call it. */
static const struct {
    const char *reason;
    const char *words[LIMIT_FAMILIES];
} refusals[REFUSALS] = {
    [REFUSAL_RATE] = {"connection rate",
                      {"421 4.7.0 too many new connections from your address or network, try again "
                       "later\r\n",
                       "* BYE too many new connections from your address or network, try again "
                       "later\r\n"}},
    [REFUSAL_LOGINS] = {"failed logins",
                        {"421 4.7.0 too many failed logins from your address or network, try again "
                         "later\r\n",
                         "* BYE too many failed logins from your address or network, try again "
                         "later\r\n"}},
    [REFUSAL_OPEN] = {"open connections",
                      {"421 4.7.0 too many open connections from your address or network\r\n",
                       "* BYE too many open connections from your address or network\r\n"}},
};

/* In this order; who is refused for one thing has been counted for those before. */
static enum refusal judge(const struct service_endpoint *e,
                          const struct mox_ratelimit_address *address)
{
    struct limits *l = &e->server->limits;
    enum limit_family family = family_of(e);
    int64_t now = now_us(e->server);
    /* Without memory to count, one connection more is let in … */
    if (mox_ratelimit_add(l->rate[family], address, now, 1) == MOX_ETOOMANY)
        return REFUSAL_RATE;
    if (e->kind != SERVE_SMTP && !mox_ratelimit_can_add(l->failed_logins, address, now, 1))
        return REFUSAL_LOGINS;
    /* … but not uncounted: its end would take another's place off the count. */
    if (mox_ratelimit_add(l->open[family], address, now, 1) < 0)
        return REFUSAL_OPEN;
    return REFUSAL_NONE;
}

/* One line a second says how many there were since the last. */
static void log_refusal(const struct service_endpoint *e, const char *message, const char *reason,
                        const char *remote_ip)
{
    struct limits *l = &e->server->limits;
    const struct mox_env *env = &e->server->env;
    int64_t now = env->monotonic_us(env->user);
    l->unlogged++;
    if (now < l->log_again_us)
        return;
    log_line(env, MOX_LOG_INFO, e->endpoint.pkg, message, NULL, F_TEXT("remote", remote_ip),
             F_TEXT("limit", reason), F_TEXT("service", mox__service_name(e)),
             F_UINT("refused", l->unlogged));
    l->log_again_us = now + LOG_US;
    l->unlogged = 0;
}

bool mox__limits_admit(void *user, const char *remote_ip, struct mox_slice *words)
{
    const struct service_endpoint *e = user;
    struct mox_ratelimit_address address;
    if (!mox_ratelimit_address(&address, remote_ip))
        return true;
    enum refusal refusal = judge(e, &address);
    if (refusal == REFUSAL_NONE)
        return true;
    *words = slice_of(refusals[refusal].words[family_of(e)]);
    mox__count_refused(e->server, e, refusals[refusal].reason);
    if (refusal == REFUSAL_LOGINS)
        mox__count_ratelimited(e->server, e);
    log_refusal(e, "connection refused", refusals[refusal].reason, remote_ip);
    return false;
}

void mox__limits_left(void *user, const char *remote_ip)
{
    const struct service_endpoint *e = user;
    struct mox_server *s = e->server;
    struct mox_ratelimit_address address;
    if (mox_ratelimit_address(&address, remote_ip))
        mox_ratelimit_release(s->limits.open[family_of(e)], &address, now_us(s), 1);
}

/* -- logins ----------------------------------------------------------------------------------- */

bool mox__limits_may_log_in(const struct service_endpoint *e, const char *remote_ip)
{
    struct mox_server *s = e->server;
    struct mox_ratelimit_address address;
    if (!mox_ratelimit_address(&address, remote_ip) ||
        mox_ratelimit_can_add(s->limits.failed_logins, &address, now_us(s), 1))
        return true;
    mox__count_ratelimited(s, e);
    log_refusal(e, "login refused", refusals[REFUSAL_LOGINS].reason, remote_ip);
    return false;
}

void mox__limits_auth_ended(struct mox_server *s, const char *remote_ip,
                            const struct mox_sasl_attempt *attempt)
{
    struct mox_ratelimit_address address;
    if (!mox_ratelimit_address(&address, remote_ip))
        return;
    if (attempt->failure == 0) {
        mox_ratelimit_reset(s->limits.failed_logins, &address, now_us(s));
    } else if (!attempt->harmless) {
        int rc = mox_ratelimit_add(s->limits.failed_logins, &address, now_us(s), 1);
        (void)rc; /* at the limit it stays there */
    }
}
