/* SPDX-License-Identifier: MIT */

/* A message and the record that answers for all of its keys: every signature gets a result, with a reason
 * for people unless it passes, and looking again changes nothing. */

#include <mox/dkim.h>

#include "fuzz/input.h"

static void answer(struct mox_dns_answers *answers, struct mox_slice record)
{
    const struct mox_dns_record r = {.data.txt = record};
    const struct mox_dns_question *q;
    while (mox_dns_wanted(answers, &q) > 0) {
        const struct mox_dns_answer a = {.question = q[0],
                                         .status = record.len > 0 ? MOX_DNS_FOUND : MOX_DNS_TIMEOUT,
                                         .records = &r,
                                         .count = record.len > 0};
        assert(q[0].type == MOX_DNS_TXT);
        assert(mox_dns_put(answers, &a) == MOX_OK);
    }
}

static void assert_result(const struct mox_dkim_result *r)
{
    assert(mox_dkim_status_name(r->status)[0] != '\0');
    assert((r->status == MOX_DKIM_PASS) == (r->reason[0] == '\0'));
    for (const char *c = r->reason; *c != '\0'; c++)
        assert(*c >= ' ' && *c < 0x7f);
    assert(strlen(r->signature) <= 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {slice(data, len)};
    struct mox_env env;
    struct mox_dkim_config config;
    struct mox_signed_message *m;
    struct mox_dkim_verify *v;
    struct mox_dns_answers *answers;
    struct mox_slice record = input_until(&in, '\n');
    mox_env_system(&env);
    mox_dkim_config_init(&config);
    assert(mox_signed_message_new(&m, &env, in.rest) == MOX_OK);
    assert(mox_dkim_verify_new(&v, &env, m, &config) == MOX_OK);
    assert(mox_dns_answers_new(&answers, &env) == MOX_OK);
    int rc = mox_dkim_verify_run(v, answers);
    if (rc == MOX_NEED_DNS) {
        answer(answers, record);
        rc = mox_dkim_verify_run(v, answers);
    }
    assert(rc == MOX_OK);
    for (size_t i = 0; i < mox_dkim_result_count(v); i++)
        assert_result(mox_dkim_result_at(v, i));
    assert(mox_dkim_verify_run(v, answers) == MOX_OK);
    mox_dkim_verify_free(v);
    mox_signed_message_free(m);
    mox_dns_answers_free(answers);
    return 0;
}
