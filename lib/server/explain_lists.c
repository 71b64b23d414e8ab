/* SPDX-License-Identifier: MIT */
#include <mox/dnsbl.h>
#include <mox/explain.h>

/* MOX_OK with *listed; as the server does, a list that does not work is passed over. Both are asked at once. */
static int ask(const char *zone, const char *ip, struct mox_dns_answers *answers, bool *listed)
{
    struct mox_dnsbl_verdict verdict;
    struct mox_dnsbl_health health;
    int rc = mox_dnsbl_check(zone, ip, answers, &verdict);
    int works = mox_dnsbl_check_health(zone, answers, &health);
    if (rc == MOX_OK)
        rc = works;
    *listed = rc == MOX_OK && health.healthy && verdict.status == MOX_DNSBL_FAIL;
    return rc;
}

/* All lists are asked at once; of those that have the client the first counts. */
int mox_explain_lists(const struct mox_config *config, const char *ip,
                      struct mox_dns_answers *answers, const char **zone)
{
    bool wants = false, listed;
    *zone = "";
    for (size_t i = 0; i < config->mox->listeners.count; i++) {
        const struct mox_config_strings *zones = &config->mox->listeners.items[i].smtp.dnsbls;
        for (size_t k = 0; k < zones->count; k++) {
            int rc = ask(zones->items[k], ip, answers, &listed);
            wants = wants || rc == MOX_NEED_DNS;
            if (rc < 0)
                return rc;
            if (listed && (*zone)[0] == '\0')
                *zone = zones->items[k];
        }
    }
    return wants ? MOX_NEED_DNS : MOX_OK;
}
