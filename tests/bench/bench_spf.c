/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/dns_zone.h>
#include <mox/spf.h>

#include "baseline.h"
#include "program.h"
#include "report.h"

/* What evaluating SPF takes once the answers are there: a host does that once for each round of questions. */

#define SECONDS 1.0
#define REPEATS 5

static struct report report;

static const char zone_text[] =
    "short.example\tTXT\tv=spf1 ip4:198.51.100.0/24 mx -all\n"
    "short.example\tMX\t10 mx.short.example\n"
    "mx.short.example\tA\t192.0.2.1\n"
    /* As large senders have it: includes of includes, a network for each server. */
    "deep.example\tTXT\tv=spf1 include:a.deep.example include:b.deep.example "
    "include:c.deep.example ~all\n"
    "a.deep.example\tTXT\tv=spf1 ip4:198.51.100.0/24 ip4:198.51.101.0/24 ip4:198.51.102.0/24 "
    "ip4:198.51.103.0/24"
    " ip4:198.51.104.0/24 ip4:198.51.105.0/24 ip6:2001:db8:1::/48 ip6:2001:db8:2::/48 ?all\n"
    "b.deep.example\tTXT\tv=spf1 include:d.deep.example exists:%{ir}.%{v}._spf.deep.example"
    " a:h1.deep.example a:h2.deep.example ?all\n"
    "d.deep.example\tTXT\tv=spf1 ip4:203.0.113.0/25 ip4:203.0.113.128/26 ip4:203.0.113.192/27 mx "
    "?all\n"
    "d.deep.example\tMX\t10 m1.deep.example\nd.deep.example\tMX\t20 m2.deep.example\n"
    "c.deep.example\tTXT\tv=spf1 ip4:198.18.0.0/16 ip4:192.0.2.0/24 -all\n"
    "m1.deep.example\tA\t198.51.100.1\nm2.deep.example\tA\t198.51.100.2\n"
    "h1.deep.example\tA\t198.51.100.3\nh2.deep.example\tA\t198.51.100.4\n";

static double evaluations_per_second(const struct mox_spf_query *q, struct mox_dns_answers *answers)
{
    struct mox_spf_verdict v;
    size_t done = 0;
    double start = seconds_now(), now = start;
    for (; now - start < SECONDS / REPEATS; now = seconds_now())
        for (unsigned i = 0; i < 1000; i++, done++)
            if (mox_spf_check(q, answers, &v) != MOX_OK || v.result != MOX_SPF_PASS)
                fail("no pass: %s", v.problem);
    return (double)done / (now - start);
}

static void measure(const struct mox_env *env, const struct mox_dns_zone *zone, const char *domain,
                    const char *params)
{
    struct mox_dns_answers *answers = NULL;
    struct mox_spf_query q;
    struct mox_spf_verdict v;
    double us[REPEATS];
    int rc = mox_dns_answers_new(&answers, env);
    mox_spf_query_init(&q);
    q.ip = "192.0.2.1";
    q.mail_from_localpart = "someone";
    q.mail_from_domain = domain;
    while (rc == MOX_OK && (rc = mox_spf_check(&q, answers, &v)) == MOX_NEED_DNS)
        rc = mox_dns_zone_answer(zone, answers);
    if (rc != MOX_OK)
        fail("SPF: %s", mox_status_text(rc));
    for (unsigned i = 0; i < REPEATS; i++)
        us[i] = 1e6 / evaluations_per_second(&q, answers);
    (void)quantile(us, REPEATS, 0.5); /* sorts */
    report_median(&report, "evaluation", params, us, REPEATS, "us", NULL);
    mox_dns_answers_free(answers);
}

int main(void)
{
    struct mox_dns_zone *zone = NULL;
    struct mox_slice text = {(const uint8_t *)zone_text, sizeof zone_text - 1};
    struct mox_error err;
    struct mox_env env;
    program_start();
    mox_env_system(&env);
    report_open(&report, "spf");
    if (mox_dns_zone_parse(&zone, &env, text, "zone", &err) != MOX_OK)
        fail("%s", err.text);
    measure(&env, zone, "short.example", "record=short");
    measure(&env, zone, "deep.example", "record=deep");
    mox_dns_zone_free(zone);
    report_close(&report);
    return 0;
}
