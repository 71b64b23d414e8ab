/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *cli_json_text(const char *text)
{
    json_t *string = json_string(text);
    if (string != NULL)
        return string;
    /* No memory, or no UTF-8. */
    char *copy = strdup(text);
    for (char *p = copy; p != NULL && *p != '\0'; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    string = copy == NULL ? NULL : json_string(copy);
    free(copy);
    return string;
}

/* Appends to an array; takes both, and gives NULL for a lack of memory in either. */
static json_t *with(json_t *array, json_t *value)
{
    if (array != NULL && value != NULL && json_array_append_new(array, value) == 0)
        return array;
    if (array == NULL)
        json_decref(value);
    json_decref(array);
    return NULL;
}

json_t *cli_json_spf(const struct mox_spf_verdict *v)
{
    static const char *const identities[] = {"none", "mailfrom", "helo"};
    return json_pack("{s:s,s:o,s:s,s:o,s:o,s:o,s:b}", "result", mox_spf_result_name(v->result),
                     "domain", cli_json_text(v->domain), "identity", identities[v->identity],
                     "mechanism", cli_json_text(v->mechanism), "explanation",
                     cli_json_text(v->explanation), "reason", cli_json_text(v->problem), "secure",
                     v->secure);
}

static json_t *signature(const struct mox_dkim_result *r)
{
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:b}", "result", mox_dkim_status_name(r->status),
                     "domain", cli_json_text(r->domain), "selector", cli_json_text(r->selector),
                     "algorithm", cli_json_text(r->algorithm), "reason", cli_json_text(r->reason),
                     "secure", r->secure);
}

json_t *cli_json_dkim(const struct mox_dkim_result *results, size_t count)
{
    json_t *all = json_array();
    for (size_t i = 0; all != NULL && i < count; i++)
        all = with(all, signature(&results[i]));
    return all;
}

json_t *cli_json_dmarc(const struct mox_dmarc_verdict *v, const char *from_domain)
{
    bool has_policy = v->found.status == MOX_DMARC_PASS;
    return json_pack("{s:s,s:o,s:s,s:s,s:o,s:o,s:b}", "result", mox_dmarc_status_name(v->status),
                     "domain", cli_json_text(from_domain), "policy",
                     has_policy ? mox_dmarc_policy_name(v->policy) : "", "disposition",
                     mox_dmarc_policy_name(v->disposition), "record_domain",
                     cli_json_text(has_policy ? v->found.domain : ""), "reason",
                     cli_json_text(v->reason), "secure", v->found.secure);
}

json_t *cli_json_iprev(const struct mox_iprev_verdict *v)
{
    json_t *names = json_array();
    for (size_t i = 0; names != NULL && i < v->name_count; i++)
        names = with(names, cli_json_text(v->names[i]));
    return json_pack("{s:s,s:o,s:o,s:b}", "result", mox_iprev_status_name(v->status), "names",
                     names, "reason", cli_json_text(v->reason), "secure", v->secure);
}

static json_t *instance(const struct mox_arc_instance *i)
{
    return json_pack("{s:i,s:o,s:o,s:o,s:o,s:o}", "instance", (int)i->instance, "domain",
                     cli_json_text(i->domain), "selector", cli_json_text(i->selector),
                     "seal_domain", cli_json_text(i->seal_domain), "seal_selector",
                     cli_json_text(i->seal_selector), "reason", cli_json_text(i->reason));
}

json_t *cli_json_arc(const struct mox_arc_verdict *v)
{
    json_t *instances = json_array();
    for (size_t i = 0; instances != NULL && i < v->count; i++)
        instances = with(instances, instance(&v->instances[i]));
    return json_pack("{s:s,s:o,s:o,s:b}", "result", mox_arc_status_name(v->status), "instances",
                     instances, "reason", cli_json_text(v->reason), "secure", v->secure);
}

static json_t *answer(const struct mox_dns_answer *a)
{
    char number[16];
    const char *type = mox_dns_type_name(a->question.type);
    (void)snprintf(number, sizeof number, "TYPE%d", (int)a->question.type);
    return json_pack("{s:o,s:s,s:s,s:b}", "name", cli_json_text(a->question.name), "type",
                     type != NULL ? type : number, "status", mox_dns_status_name(a->status),
                     "secure", a->secure);
}

json_t *cli_json_dns(const struct mox_dns_answers *answers)
{
    json_t *all = json_array();
    for (size_t i = 0; all != NULL && i < mox_dns_answer_count(answers); i++)
        all = with(all, answer(mox_dns_answer_at(answers, i)));
    return all;
}
