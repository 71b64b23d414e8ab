/* SPDX-License-Identifier: MIT */

/* All checks of any message over any names: they end, and the header fields that tell of them are read back
 * as what was found, whatever stands in the message and the DNS. Input: a byte of options; what EHLO said,
 * the local part of MAIL FROM and a zone, each up to a NUL; the rest is the message. */

#include <mox/auth_results.h>
#include <mox/checks.h>
#include <mox/dns_zone.h>

#include <stdio.h>

#include "fuzz/input.h"

/* As in fuzz_spf_check.c, the longest chain of names. */
#define ROUNDS_MAX 40
#define TEXT_MAX   300
#define LINE_MAX   998 /* RFC 5322 §2.1.1 */

static struct mox_env env;

static void copy_text(char out[TEXT_MAX], struct mox_slice text)
{
    (void)snprintf(out, TEXT_MAX, "%.*s", (int)(text.len < TEXT_MAX ? text.len : TEXT_MAX - 1),
                   text.len == 0 ? "" : (const char *)text.data);
}

/* One field: lines of printable ASCII, all but the first of which begin with a tab. */
static void is_field(const char *text, const char *name)
{
    assert(strncmp(text, name, strlen(name)) == 0 && text[strlen(name)] == ':');
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\r");
        assert(len <= LINE_MAX && line[len + 1] == '\n');
        assert(line == text || line[0] == '\t');
        for (size_t i = line == text ? 0 : 1; i < len; i++)
            assert(line[i] >= ' ' && line[i] <= '~');
        line += len + 2;
    }
}

static void is_read_back(const char *field, const struct mox_checks_verdict *v)
{
    struct mox_auth_results *r;
    struct mox_error err;
    const char *value = strchr(field, ':') + 1;
    assert(mox_auth_results_parse(&r, &env, slice(value, strlen(value) - 2), &err) == MOX_OK);
    size_t signatures = v->dkim_count == 0 ? 1 : v->dkim_count;
    if (signatures > MOX_DKIM_SIGNATURES_MAX + 1)
        signatures = MOX_DKIM_SIGNATURES_MAX + 1;
    assert(r->method_count == signatures + 3 + (v->arc->status != MOX_ARC_NONE));
    assert(strcmp(r->methods[0].method, "iprev") == 0);
    assert(strcmp(r->methods[0].result, mox_iprev_status_name(v->iprev->status)) == 0);
    for (size_t i = 1; i <= signatures; i++)
        assert(strcmp(r->methods[i].method, "dkim") == 0);
    const struct mox_auth_method *spf = &r->methods[signatures + 1];
    assert(strcmp(spf->method, "spf") == 0);
    assert(strcmp(spf->result, mox_spf_result_name(v->spf->result)) == 0);
    assert(strcmp(spf[1].method, "dmarc") == 0);
    assert(strcmp(spf[1].result, mox_dmarc_status_name(v->dmarc->status)) == 0);
    mox_auth_results_free(&env, r);
}

static void look(const struct mox_checks_verdict *v)
{
    bool has_from = v->from_domain[0] != '\0';
    assert(has_from == (v->from_org_domain[0] != '\0'));
    assert(has_from || v->from_localpart[0] == '\0'); /* an address may be ""@domain */
    assert(has_from || (v->from == MOX_VALIDATION_NONE && v->dmarc->status == MOX_DMARC_NONE));
    assert(v->from != MOX_VALIDATION_DMARC || v->dmarc->status == MOX_DMARC_PASS);
    assert(v->mail_from == MOX_VALIDATION_UNKNOWN || v->helo == MOX_VALIDATION_UNKNOWN);
    for (size_t i = 0; i < v->dkim_count; i++)
        assert(v->dkim[i].status != MOX_DKIM_PASS ||
               (v->dkim[i].flags &
                (MOX_DKIM_BODY_LIMITED | MOX_DKIM_SUBJECT_UNSIGNED | MOX_DKIM_WEAK_HASH)) == 0);
    for (size_t i = 0; i < v->dkim_domain_count; i++)
        for (size_t k = 0; k < i; k++)
            assert(strcmp(v->dkim_domains[i], v->dkim_domains[k]) != 0);
}

static void check(const struct mox_checks_query *q, const struct mox_dns_zone *zone,
                  struct mox_slice message)
{
    struct mox_checks *c;
    struct mox_dns_answers *answers;
    char *results, *spf;
    unsigned rounds = 0;
    int rc;
    assert(mox_checks_new(&c, &env, q, message) == MOX_OK);
    assert(mox_dns_answers_new(&answers, &env) == MOX_OK);
    while ((rc = mox_checks_run(c, answers)) == MOX_NEED_DNS) {
        assert(++rounds <= ROUNDS_MAX);
        assert(mox_dns_zone_answer(zone, answers) == MOX_OK);
    }
    assert(rc == MOX_OK);
    look(mox_checks_verdict(c));
    assert(mox_checks_headers(c, &results, &spf) == MOX_OK);
    is_field(results, "Authentication-Results");
    is_field(spf, "Received-SPF");
    is_read_back(results, mox_checks_verdict(c));
    mox_text_free(&env, results);
    mox_text_free(&env, spf);
    mox_checks_free(c);
    mox_dns_answers_free(answers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {{data, len}};
    struct mox_dns_zone *zone;
    struct mox_checks_query q;
    struct mox_error err;
    char helo[TEXT_MAX], localpart[TEXT_MAX];
    unsigned how = input_byte(&in);
    mox_env_system(&env);
    mox_checks_query_init(&q);
    copy_text(helo, input_until(&in, 0));
    copy_text(localpart, input_until(&in, 0));
    q.ip = (how & 1) != 0 ? "2001:db8::1" : "192.0.2.1";
    q.helo = helo;
    q.helo_is_literal = (how & 2) != 0;
    q.mail_from_localpart = localpart;
    q.mail_from_domain = (how & 4) != 0 ? "" : "sender.example";
    q.pedantic = (how & 8) != 0;
    q.localhost_signs = (how & 16) != 0;
    q.now_us = INT64_C(1760000000000000);
    int rc = mox_dns_zone_parse(&zone, &env, input_until(&in, 0), "zone", &err);
    if (rc != MOX_OK)
        return 0;
    check(&q, zone, in.rest);
    mox_dns_zone_free(zone);
    return 0;
}
