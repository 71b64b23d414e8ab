/* SPDX-License-Identifier: MIT */
#include <mox/dnsbl.h>
#include <mox/explain.h>

/* All lists are asked at once; of those that have the client the first counts. */
int mox_explain_lists(const struct mox_config *config, const char *ip,
                      struct mox_dns_answers *answers, const char **zone)
{
    bool wants = false;
    *zone = "";
    for (size_t i = 0; i < config->mox->listeners.count; i++) {
        const struct mox_config_strings *zones = &config->mox->listeners.items[i].smtp.dnsbls;
        for (size_t k = 0; k < zones->count; k++) {
            struct mox_dnsbl_verdict verdict;
            int rc = mox_dnsbl_check(zones->items[k], ip, answers, &verdict);
            wants = wants || rc == MOX_NEED_DNS;
            if (rc < 0)
                return rc;
            if (rc == MOX_OK && verdict.status == MOX_DNSBL_FAIL && (*zone)[0] == '\0')
                *zone = zones->items[k];
        }
    }
    return wants ? MOX_NEED_DNS : MOX_OK;
}
