/* SPDX-License-Identifier: MIT */

/* Whatever the facts are, there is a verdict after a few rounds, with one rule that decided; what the client is
 * told and the header are clean, and short. */

#include <math.h>

#include "fuzz/input.h"
#include "delivery/judged.h"

#define TEXTS     8
#define TEXT_SIZE 300

struct texts {
    char text[TEXTS][TEXT_SIZE];
    size_t count;
};

/* Up to the next newline. */
static const char *text(struct texts *t, struct input *in)
{
    struct mox_slice s = input_until(in, '\n');
    char *out = t->text[t->count++];
    size_t n = 0;
    for (size_t i = 0; i < s.len && n + 1 < TEXT_SIZE; i++)
        if (s.data[i] != '\0')
            out[n++] = (char)s.data[i];
    out[n] = '\0';
    return out;
}

static bool flag(struct input *in)
{
    return input_below(in, 2) != 0;
}

static enum mox_fact_state state(struct input *in)
{
    return (enum mox_fact_state)(1 + input_below(in, 3));
}

/* Thousandths, and what is no number. */
static double number(struct input *in)
{
    unsigned n = input_below(in, 1024);
    return n > 1020 ? (double)NAN : n > 1010 ? 1e300 : n / 1000.0 - 0.005;
}

static void take_checks(struct judged *j, struct input *in, struct texts *t)
{
    j->iprev.status = (enum mox_iprev_status)input_below(in, 4);
    j->spf.result = (enum mox_spf_result)input_below(in, 7);
    j->spf.identity = (enum mox_spf_identity)input_below(in, 3);
    j->checks.mail_from = (enum mox_validation)input_below(in, 11);
    j->checks.from = (enum mox_validation)input_below(in, 11);
    j->dmarc.status = (enum mox_dmarc_status)input_below(in, 5);
    j->dmarc.policy = (enum mox_dmarc_policy)input_below(in, 3);
    j->dmarc.disposition = flag(in) ? j->dmarc.policy : MOX_DMARC_POLICY_NONE;
    j->dmarc.sampled_out = flag(in);
    (void)strncat(j->spf.domain, text(t, in), MOX_DOMAIN_MAX);
    j->checks.dkim_domain_count = input_below(in, 3);
    for (size_t i = 0; i < j->checks.dkim_domain_count; i++)
        j->dkim_domains[i] = text(t, in);
}

static void take_reputation(struct mox_reputation *r, struct input *in)
{
    r->method = (enum mox_reputation_method)input_below(in, MOX_REPUTATION_METHODS);
    r->leaning = (enum mox_leaning)input_below(in, 3);
    r->conclusive = flag(in);
    r->step_count = input_below(in, MOX_REPUTATION_METHODS + 1);
    for (size_t i = 0; i < r->step_count; i++) {
        struct mox_slice s = input_until(in, '\n');
        r->steps[i].method = (enum mox_reputation_method)i;
        if (s.len > 0)
            memcpy(r->steps[i].text, s.data,
                   s.len < sizeof r->steps[i].text ? s.len : sizeof r->steps[i].text);
    }
}

static void take_junk(struct mox_junk_verdict *v, struct input *in)
{
    v->probability = number(in);
    v->hams = input_below(in, 100);
    v->shown = input_below(in, MOX_JUNK_SHOWN_MAX + 1);
    for (size_t i = 0; i < v->shown; i++) {
        struct mox_slice s = input_until(in, '\n');
        v->words[i].score = number(in);
        if (s.len > 0)
            memcpy(v->words[i].text, s.data, s.len < MOX_JUNK_WORD_MAX ? s.len : MOX_JUNK_WORD_MAX);
    }
}

static void take_facts(struct judged *j, struct input *in, struct texts *t)
{
    struct mox_analysis_facts *f = &j->facts;
    judged_stranger(j);
    take_checks(j, in, t);
    if (flag(in))
        f->checks = NULL;
    f->tls = flag(in);
    f->recipient_in_header = flag(in);
    f->over_limit = input_below(in, 16) == 15;
    f->is_forward = flag(in);
    f->lenient = flag(in);
    f->report = (enum mox_fact_state)input_below(in, 4);
    f->has_junk_filter = flag(in);
    f->threshold = number(in);
    f->jitter = number(in);
    f->subjectpass_us = flag(in);
    f->has_dnsbl = flag(in);
    f->reputation_state = flag(in) ? MOX_FACT_FOUND : state(in);
    f->subjectpass = state(in);
    f->junk_state = flag(in) ? MOX_FACT_FOUND : state(in);
    f->junk_open_failed = flag(in);
    f->dnsbl = state(in);
    f->list_allow_domain = text(t, in);
    f->accept_rejects_to = text(t, in);
    f->auth_required = text(t, in);
    f->dnsbl_zone = text(t, in);
    take_junk(&f->junk, in);
    take_reputation(&f->reputation, in);
}

static void check_reply(const struct mox_analysis *a)
{
    assert(a->accept || a->code != 0);
    assert(a->code == 0 || a->code == 451 || a->code == 452 || a->code == 550);
    assert(a->code == 0 || a->enhanced[0] - '0' == a->code / 100);
    for (const char *p = a->reply; *p != '\0'; p++)
        assert(*p >= ' ' && *p <= '~');
}

static void check_header(const char *header)
{
    size_t len = strlen(header);
    assert(len > 2 && len <= 900 && strcmp(header + len - 2, "\r\n") == 0);
    for (size_t i = 0; i + 2 < len; i++) {
        assert((header[i] >= ' ' && header[i] <= '~') || strchr("\r\n\t", header[i]) != NULL);
        assert(header[i] != '\n' || (header[i - 1] == '\r' && header[i + 1] == '\t'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {{data, len}};
    struct texts texts = {.count = 0};
    struct mox_env env;
    struct judged j;
    char *header;
    mox_env_system(&env);
    take_facts(&j, &in, &texts);
    judged_run(&j);
    check_reply(&j.analysis);
    assert(j.analysis.rule_count > 0);
    for (size_t i = 0; i < j.analysis.rule_count; i++)
        assert(j.analysis.rules[i].decided == (i + 1 == j.analysis.rule_count));
    int rc = mox_analysis_header(&j.analysis, &env, &header);
    assert(rc == MOX_OK);
    check_header(header);
    mox_text_free(&env, header);
    return 0;
}
