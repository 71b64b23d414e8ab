/* SPDX-License-Identifier: MIT */

/* Whatever a list answers, the verdict is reached with what was asked first, and its text is printable. */

#include <mox/dnsbl.h>

#include "fuzz/input.h"

#define ANSWERS_MAX 6

static enum mox_dns_status status_of(struct input *in, bool found)
{
    return found ? MOX_DNS_FOUND : (enum mox_dns_status)(1 + input_below(in, MOX_DNS_BOGUS));
}

static void answer(struct mox_dns_answers *answers, const struct mox_dns_question *q,
                   struct input *in)
{
    struct mox_dns_record records[ANSWERS_MAX];
    struct mox_dns_answer a = {.question = *q, .records = records};
    a.count = input_below(in, ANSWERS_MAX + 1);
    memset(records, 0, sizeof records);
    for (size_t i = 0; i < a.count; i++) {
        struct mox_slice bytes = input_bytes(in, q->type == MOX_DNS_A ? 4 : input_byte(in));
        if (q->type == MOX_DNS_TXT)
            records[i].data.txt = bytes;
        else if (bytes.len > 0)
            memcpy(records[i].data.a, bytes.data, bytes.len);
    }
    a.status = status_of(in, a.count > 0);
    int rc = mox_dns_put(answers, &a);
    assert(rc == MOX_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {{data, len}};
    struct mox_env env;
    struct mox_dns_answers *answers = NULL;
    const struct mox_dns_question *q;
    struct mox_dnsbl_verdict v;
    bool v6 = input_below(&in, 2) != 0;
    mox_env_system(&env);
    if (mox_dns_answers_new(&answers, &env) != MOX_OK)
        return 0;
    const char *ip = v6 ? "2001:db8::1" : "192.0.2.1";
    int rc = mox_dnsbl_check("bl.example", ip, answers, &v);
    assert(rc == MOX_NEED_DNS);
    while (mox_dns_wanted(answers, &q) > 0)
        answer(answers, &q[0], &in);
    rc = mox_dnsbl_check("bl.example", ip, answers, &v);
    assert(rc == MOX_OK);
    assert((v.status == MOX_DNSBL_FAIL) == (v.code[0] == 127));
    assert(v.status != MOX_DNSBL_TEMPERROR || v.explanation[0] != '\0');
    assert(strlen(v.explanation) <= MOX_DNSBL_EXPLANATION_MAX);
    for (const char *c = v.explanation; *c != '\0'; c++)
        assert(*c >= ' ' && *c < 0x7f);
    mox_dns_answers_free(answers);
    return 0;
}
