/* SPDX-License-Identifier: MIT */

/* Evaluation of SPF with answers that may be anything: it ends, within the rounds and look-ups that RFC 7208
 * permits, with a verdict that can be shown. Input: a byte for the client, records of four domains with NULs
 * between, then bytes from which the other answers are made. */

#include <mox/spf.h>

#include <stdio.h>

#include "fuzz/input.h"

#define DOMAINS 4
/* Ten terms that count, each after three answers that follow from each other, and an explanation. */
#define ROUNDS_MAX 40

static struct mox_slice records[DOMAINS];

static void answer_txt(struct mox_dns_answer *a, struct mox_dns_record *r)
{
    for (unsigned i = 0; i < DOMAINS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "d%u.example", i);
        if (strcmp(a->question.name, name) == 0) {
            r->data.txt = records[i];
            a->count = 1;
        }
    }
}

static void answer(struct mox_dns_answers *answers, struct mox_dns_question q, struct input *in)
{
    static const char *const hosts[] = {"d0.example", "h.example", "d1.example", "", "x"};
    struct mox_dns_record r[12] = {{.ttl = 0}};
    struct mox_dns_answer a = {.question = q, .records = r, .status = MOX_DNS_FOUND};
    unsigned what = input_below(in, 64);
    a.secure = (what & 1) != 0;
    if (what >= 60)
        a.status = (enum mox_dns_status)(MOX_DNS_TIMEOUT + what % 3);
    else if (q.type == MOX_DNS_TXT)
        answer_txt(&a, r);
    else
        a.count = what % 13 < 12 ? what % 13 : 0;
    for (size_t i = 0; i < a.count && q.type != MOX_DNS_TXT; i++) {
        if (q.type == MOX_DNS_A)
            memcpy(r[i].data.a, "\xc0\0\2\1", 4);
        else if (q.type == MOX_DNS_AAAA)
            memset(r[i].data.aaaa, (int)what, 16);
        else if (q.type == MOX_DNS_MX)
            r[i].data.mx.host = hosts[(i + what) % 5];
        else
            r[i].data.name = hosts[(i + what) % 5];
    }
    assert(mox_dns_put(answers, &a) == MOX_OK);
}

static void is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        assert(*text >= ' ' && *text <= '~');
}

static void look(const struct mox_spf_verdict *v, const struct mox_dns_answers *answers)
{
    is_printable(v->mechanism);
    is_printable(v->explanation);
    is_printable(v->problem);
    assert(v->lookups <= 11 && v->void_lookups <= 3);
    assert(v->explanation[0] == '\0' || v->result == MOX_SPF_FAIL);
    assert(v->result != MOX_SPF_PASS || v->mechanism[0] != '\0');
    /* RFC 7208 §4.6.4: ten terms, an MX of ten hosts each, and what p asks for */
    assert(mox_dns_answer_count(answers) <= 11 * 12 + 40);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct input in = {{data, len}};
    struct mox_dns_answers *answers = NULL;
    const struct mox_dns_question *wanted;
    struct mox_spf_query q;
    struct mox_spf_verdict v;
    unsigned rounds = 0, how = input_below(&in, 256);
    int rc;
    mox_env_system(&env);
    mox_spf_query_init(&q);
    q.ip = (how & 1) != 0 ? "2001:db8::1" : "192.0.2.1";
    q.helo = "d1.example";
    q.mail_from_domain = (how & 2) != 0 ? "" : "d0.example";
    q.mail_from_localpart = (how & 4) != 0 ? "a+b-c.d/e_f=g" : "";
    for (unsigned i = 0; i < DOMAINS; i++)
        records[i] = input_until(&in, 0);
    assert(mox_dns_answers_new(&answers, &env) == MOX_OK);
    while ((rc = mox_spf_check(&q, answers, &v)) == MOX_NEED_DNS) {
        assert(++rounds <= ROUNDS_MAX);
        while (mox_dns_wanted(answers, &wanted) > 0) {
            char name[MOX_DOMAIN_MAX + 1];
            struct mox_dns_question question = {name, wanted[0].type};
            (void)snprintf(name, sizeof name, "%s", wanted[0].name);
            answer(answers, question, &in);
        }
    }
    assert(rc == MOX_OK);
    look(&v, answers);
    mox_dns_answers_free(answers);
    return 0;
}
