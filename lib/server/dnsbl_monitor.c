/* SPDX-License-Identifier: MIT */
#include "server/dnsbl_monitor.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include <mox/resolver.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/smtp_dnsbl.h"

/* From the end of one round to the begin of the next, and between two look-ups of a round: lists are asked
 * too seldom to mind. */
#define ROUND_US  (INT64_C(3) * 3600 * 1000 * 1000)
#define LOOKUP_US INT64_C(1000000)

static const struct mox_metric success = {
    .name = "mox_dnsbl_ips_success",
    .help =
        "Whether one of our own addresses is not in a list of blocked ones: 1, or 0 when it is, "
        "-1 when the list did not say.",
    .type = MOX_METRIC_GAUGE,
    .labels = {"zone", "ip"},
    .max_series = 4 * MONITORED_IPS_MAX,
};

/* ---- our addresses ---- */

static void add_ip(struct dnsbl_monitor *m, const struct ip *ip)
{
    char text[IP_TEXT_MAX];
    if (!mox__ip_is_public(ip) || m->ip_count == MONITORED_IPS_MAX)
        return;
    mox__ip_format(ip, text);
    for (size_t i = 0; i < m->ip_count; i++)
        if (strcmp(m->ips[i], text) == 0)
            return;
    memcpy(m->ips[m->ip_count++], text, sizeof text);
}

/* All of the machine's, of one family. */
static void add_interfaces(struct dnsbl_monitor *m, bool v6)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        struct ip ip = {.v6 = v6};
        struct sockaddr_in a4;
        struct sockaddr_in6 a6;
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != (v6 ? AF_INET6 : AF_INET))
            continue;
        if (v6) {
            memcpy(&a6, i->ifa_addr, sizeof a6);
            memcpy(ip.bytes, &a6.sin6_addr, 16);
        } else {
            memcpy(&a4, i->ifa_addr, sizeof a4);
            memcpy(ip.bytes, &a4.sin_addr, 4);
        }
        add_ip(m, &ip);
    }
    freeifaddrs(all);
}

static void add_addresses(struct dnsbl_monitor *m, const struct mox_config_strings *ips)
{
    struct ip ip;
    for (size_t i = 0; i < ips->count; i++) {
        if (!mox__ip_parse(slice_of(ips->items[i]), &ip))
            continue;
        if (mox__ip_is_unspecified(&ip))
            add_interfaces(m, ip.v6);
        else
            add_ip(m, &ip);
    }
}

/* Anew for each round: interfaces come and go. */
static void find_addresses(struct dnsbl_monitor *m)
{
    const struct mox_config_static *files = m->server->files->mox;
    m->ip_count = 0;
    for (size_t i = 0; i < files->listeners.count; i++) {
        const struct mox_config_listener *l = &files->listeners.items[i];
        if (strcmp(l->name, MONITORED_LISTENER) == 0)
            add_addresses(m, l->nat_ips.count > 0 ? &l->nat_ips : &l->ips);
    }
}

/* ---- one look-up ---- */

static void tell(const struct dnsbl_monitor *m, const struct dnsbl_health *list,
                 const struct mox_dnsbl_verdict *v)
{
    const struct mox_env *env = &m->server->env;
    const char *ip = m->ips[m->ip];
    bool unknown = !list->healthy || v->status == MOX_DNSBL_TEMPERROR;
    int64_t value = unknown ? -1 : v->status == MOX_DNSBL_PASS;
    if (value == 0)
        log_line(env, MOX_LOG_WARN, "dnsbl", "an address of ours is listed", NULL,
                 F_TEXT("zone", list->zone), F_TEXT("ip", ip),
                 F_TEXT("explanation", v->explanation));
    else if (value < 0)
        log_line(env, MOX_LOG_INFO, "dnsbl", "a list did not say whether it has an address of ours",
                 list->healthy ? v->explanation : "the list does not work",
                 F_TEXT("zone", list->zone), F_TEXT("ip", ip));
    if (m->server->metrics != NULL)
        mox_metrics_set(m->server->metrics, &success, (const char *const[]){list->zone, ip}, value);
}

/* The next address when all lists have been asked about this one; after the last the round is over. */
static void next_list(struct dnsbl_monitor *m)
{
    const struct mox_server *s = m->server;
    while (m->list < s->dnsbl_count && !s->dnsbls[m->list].monitored)
        m->list++;
    if (m->list < s->dnsbl_count)
        return;
    m->ip++;
    m->list = 0;
    if (m->ip < m->ip_count)
        next_list(m);
}

static void end_lookup(struct dnsbl_monitor *m)
{
    mox_dns_answers_free(m->answers);
    m->answers = NULL;
    m->list++;
    next_list(m);
    mox__timer_at(&m->timer, mox__loop_now(m->server->net->loop) +
                                 (m->ip < m->ip_count ? LOOKUP_US : ROUND_US));
}

static void answered(void *user, int rc);

static void run_lookup(struct dnsbl_monitor *m)
{
    struct dnsbl_health *list = &m->server->dnsbls[m->list];
    struct mox_dnsbl_verdict verdict;
    int rc = mox__dnsbl_ask(m->server, list, m->ips[m->ip], m->answers, &verdict);
    if (rc == MOX_NEED_DNS)
        rc = mox_dns_round_start(&m->round, &m->server->env, mox__server_resolver(m->server),
                                 m->answers, answered, m);
    else if (rc == MOX_OK) {
        tell(m, list, &verdict);
        end_lookup(m);
    }
    if (rc < 0)
        end_lookup(m);
}

static void answered(void *user, int rc)
{
    struct dnsbl_monitor *m = user;
    m->round = NULL;
    if (rc < 0)
        end_lookup(m);
    else
        run_lookup(m);
}

/* ---- rounds ---- */

static void due(struct timer *t)
{
    struct dnsbl_monitor *m = container_of(t, struct dnsbl_monitor, timer);
    if (m->ip >= m->ip_count) {
        find_addresses(m);
        m->ip = m->list = 0;
        next_list(m);
    }
    if (m->ip_count > 0 && mox_dns_answers_new(&m->answers, &m->server->env) == MOX_OK)
        run_lookup(m);
    else
        mox__timer_at(t, mox__loop_now(m->server->net->loop) + ROUND_US);
}

int mox__dnsbl_monitor_init(struct mox_server *s)
{
    bool any = false;
    for (size_t i = 0; i < s->dnsbl_count; i++)
        any = any || s->dnsbls[i].monitored;
    if (!any || s->config.localserve)
        return MOX_OK;
    s->monitor = mem_new(&s->env, struct dnsbl_monitor, 1);
    if (s->monitor == NULL)
        return MOX_ENOMEM;
    s->monitor->server = s;
    mox__timer_init(&s->monitor->timer, s->net->loop, due);
    return MOX_OK;
}

void mox__dnsbl_monitor_start(struct mox_server *s)
{
    if (s->monitor != NULL)
        mox__timer_at(&s->monitor->timer, mox__loop_now(s->net->loop));
}

void mox__dnsbl_monitor_stop(struct mox_server *s)
{
    struct dnsbl_monitor *m = s->monitor;
    if (m == NULL)
        return;
    mox__timer_stop(&m->timer);
    mox_dns_round_cancel(m->round);
    m->round = NULL;
    mox_dns_answers_free(m->answers);
    m->answers = NULL;
}

void mox__dnsbl_monitor_free(struct mox_server *s)
{
    mox__dnsbl_monitor_stop(s);
    mox__mem_free(&s->env, s->monitor);
}
