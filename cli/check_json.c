/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <string.h>

#include "json.h"

/* A header without the last line end. */
static json_t *header(const char *text)
{
    return json_stringn(text, strlen(text) - 2);
}

enum exit_code check_print_json(const struct check_result *r)
{
    const struct mox_checks_verdict *v = r->verdict;
    json_t *from =
        json_pack("{s:o,s:o,s:s}", "domain", cli_json_text(v->from_domain), "org_domain",
                  cli_json_text(v->from_org_domain), "validation", check_validation_name(v->from));
    json_t *all =
        json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "iprev", cli_json_iprev(v->iprev), "spf",
                  cli_json_spf(v->spf), "dkim", cli_json_dkim(v->dkim, v->dkim_count), "dmarc",
                  cli_json_dmarc(v->dmarc, v->from_domain), "arc", cli_json_arc(v->arc), "from", from,
                  "dns", cli_json_dns(r->answers), "authentication_results",
                  header(r->authentication_results), "received_spf", header(r->received_spf));
    if (all != NULL && r->analysis != NULL &&
        json_object_set_new(all, "analysis", json_loads(r->analysis, 0, NULL)) != 0) {
        json_decref(all);
        return cli_fail("the analysis is no JSON");
    }
    return cli_json_print(all);
}

enum exit_code check_print_dmarc_json(const struct check_result *r)
{
    const struct mox_checks_verdict *v = r->verdict;
    return cli_json_print(json_pack(
        "{s:o,s:o,s:o,s:o}", "dmarc", cli_json_dmarc(v->dmarc, v->from_domain), "spf", cli_json_spf(v->spf), "dkim",
        cli_json_dkim(v->dkim, v->dkim_count), "dns", cli_json_dns(r->answers)));
}
