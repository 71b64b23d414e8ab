/* SPDX-License-Identifier: MIT */
#include "server/smtp_dnsbl.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/text.h"
#include "server/dnsbl_monitor.h"

/* Whether a list works is asked this seldom. */
#define HEALTH_US (INT64_C(4) * 3600 * 1000 * 1000)

static const struct mox_metric lookups = {
    .name = "mox_dnsbl_lookup_duration_seconds",
    .help = "Until a list of blocked addresses had answered, by what it said.",
    .type = MOX_METRIC_HISTOGRAM,
    .unit = MOX_METRIC_SECONDS,
    .labels = {"zone", "status"},
    .bounds = METRIC_BOUNDS_SHORT,
};

static struct dnsbl_health *health_of(const struct mox_server *s, const char *zone)
{
    for (size_t i = 0; i < s->dnsbl_count; i++)
        if (strcmp(s->dnsbls[i].zone, zone) == 0)
            return &s->dnsbls[i];
    return NULL;
}

static void remember(struct mox_server *s, const struct mox_config_strings *zones, bool monitored)
{
    for (size_t i = 0; i < zones->count; i++) {
        struct dnsbl_health *known = health_of(s, zones->items[i]);
        if (known == NULL) {
            known = &s->dnsbls[s->dnsbl_count++];
            known->zone = zones->items[i];
        }
        known->monitored = known->monitored || monitored;
    }
}

int mox__dnsbl_init(struct mox_server *s)
{
    const struct mox_config_strings *monitored = &s->files->domains->monitor_dnsbls;
    size_t most = monitored->count;
    for (size_t i = 0; i < s->files->mox->listeners.count; i++)
        most += s->files->mox->listeners.items[i].smtp.dnsbls.count;
    s->dnsbls = mem_new(&s->env, struct dnsbl_health, most + 1);
    if (s->dnsbls == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < s->files->mox->listeners.count; i++) {
        const struct mox_config_listener *l = &s->files->mox->listeners.items[i];
        remember(s, &l->smtp.dnsbls, strcmp(l->name, MONITORED_LISTENER) == 0);
    }
    remember(s, monitored, true);
    return MOX_OK;
}

void mox__dnsbl_free(struct mox_server *s)
{
    mox__mem_free(&s->env, s->dnsbls);
}

bool mox__dnsbl_is_configured(const struct service_endpoint *e)
{
    return e->listener->smtp.dnsbls.count > 0;
}

/* Health that could not be found out counts as good, and is asked again next time. */
static int check_health(struct dnsbl_health *h, const struct mox_env *env,
                        struct mox_dns_answers *answers)
{
    int64_t now_us = env->monotonic_us(env->user);
    struct mox_dnsbl_health found;
    if (now_us < h->until_us)
        return MOX_OK;
    int rc = mox_dnsbl_check_health(h->zone, answers, &found);
    if (rc != MOX_OK)
        return rc;
    h->healthy = found.healthy;
    h->until_us = found.temporary ? 0 : now_us + HEALTH_US;
    if (!found.healthy || found.temporary)
        log_line(env, MOX_LOG_INFO, "dnsbl", "list does not work", found.reason,
                 F_TEXT("zone", h->zone));
    return MOX_OK;
}

static bool is_known_not_to_work(const struct dnsbl_health *h, const struct mox_env *env)
{
    return !h->healthy && env->monotonic_us(env->user) < h->until_us;
}

int mox__dnsbl_ask(const struct mox_server *s, struct dnsbl_health *list, const char *ip,
                   struct mox_dns_answers *answers, struct mox_dnsbl_verdict *verdict)
{
    *verdict = (struct mox_dnsbl_verdict){.status = MOX_DNSBL_TEMPERROR};
    if (is_known_not_to_work(list, &s->env))
        return MOX_OK;
    int health = check_health(list, &s->env, answers);
    int rc = mox_dnsbl_check(list->zone, ip, answers, verdict);
    return health == MOX_OK ? rc : health;
}

static void take(struct smtp_dnsbl *d, const struct service_endpoint *e,
                 const struct dnsbl_health *h, const struct mox_dnsbl_verdict *verdict)
{
    const struct mox_env *env = &e->server->env;
    metric_add(env, &lookups, env->monotonic_us(env->user) - d->begun_us, h->zone,
               mox_dnsbl_status_name(verdict->status));
    d->answered = d->answered || (h->healthy && verdict->status != MOX_DNSBL_TEMPERROR);
    if (d->zone != NULL || !h->healthy || verdict->status != MOX_DNSBL_FAIL)
        return;
    d->zone = h->zone;
    memcpy(d->explanation, verdict->explanation, sizeof d->explanation);
}

int mox__dnsbl_run(struct smtp_dnsbl *d, const struct service_endpoint *e, const char *ip,
                   struct mox_dns_answers *answers)
{
    const struct mox_config_strings *zones = &e->listener->smtp.dnsbls;
    const struct mox_env *env = &e->server->env;
    struct mox_dnsbl_verdict verdict;
    bool wants = false;
    if (d->begun_us == 0)
        d->begun_us = env->monotonic_us(env->user);
    for (size_t i = 0; i < zones->count; i++) {
        struct dnsbl_health *h = health_of(e->server, zones->items[i]);
        int rc = h == NULL ? MOX_OK : mox__dnsbl_ask(e->server, h, ip, answers, &verdict);
        wants = wants || rc == MOX_NEED_DNS;
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < zones->count && !wants; i++) {
        struct dnsbl_health *h = health_of(e->server, zones->items[i]);
        if (h != NULL && !is_known_not_to_work(h, env) &&
            mox_dnsbl_check(h->zone, ip, answers, &verdict) == MOX_OK)
            take(d, e, h, &verdict);
    }
    return wants ? MOX_NEED_DNS : MOX_OK;
}

enum mox_fact_state mox__dnsbl_state(const struct smtp_dnsbl *d)
{
    if (d->zone != NULL)
        return MOX_FACT_FOUND;
    return d->answered ? MOX_FACT_ABSENT : MOX_FACT_FAILED;
}
