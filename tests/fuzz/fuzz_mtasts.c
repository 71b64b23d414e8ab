/* SPDX-License-Identifier: MIT */

/* A record and a policy of MTA-STS that were read are read as the same from a plain form, and a policy
 * permits the hosts that it names, and no domain without a host's label. */

#include <mox/mtasts.h>

#include "fuzz/input.h"

static void check_record(struct mox_slice text)
{
    struct mox_mtasts_record r, again;
    struct mox_error err = {0};
    char plain[64];
    struct buf out = buf_over(plain, sizeof plain);
    int rc = mox_mtasts_record_parse(&r, text, &err);
    assert(rc == MOX_OK || rc == MOX_ENOTFOUND || rc == MOX_ESYNTAX);
    assert((rc == MOX_OK) == (err.text[0] == '\0'));
    if (rc != MOX_OK)
        return;
    mox__buf_printf(&out, "v=STSv1; id=%s", r.id);
    assert(mox_mtasts_record_parse(&again, buf_bytes(&out), &err) == MOX_OK);
    assert(strcmp(r.id, again.id) == 0);
}

static void check_hosts(const struct mox_mtasts_policy *p)
{
    for (size_t i = 0; i < p->host_count; i++) {
        char host[MOX_DOMAIN_MAX + 8] = "";
        struct buf name = buf_over(host, sizeof host - 1);
        if (p->hosts[i].any_label)
            mox__buf_text(&name, "mx.");
        mox__buf_text(&name, p->hosts[i].name);
        assert(!name.failed && mox_mtasts_policy_permits(p, host));
    }
    assert(!mox_mtasts_policy_permits(p, "") && !mox_mtasts_policy_permits(p, "."));
}

static void write_policy(struct buf *out, const struct mox_mtasts_policy *p)
{
    mox__buf_printf(out, "version: STSv1\r\nmode: %s\r\nmax_age: %u\r\n",
                    mox_mtasts_mode_name(p->mode), (unsigned)p->max_age_seconds);
    for (size_t i = 0; i < p->host_count; i++) {
        mox__buf_text(out, p->hosts[i].any_label ? "mx: *." : "mx: ");
        mox__buf_text(out, p->hosts[i].name);
        mox__buf_text(out, "\r\n");
    }
}

static void check_policy(const struct mox_env *env, struct mox_slice text)
{
    struct mox_mtasts_policy *p, *again;
    struct mox_error err = {0};
    struct buf out;
    int rc = mox_mtasts_policy_parse(&p, env, text, &err);
    assert(rc == MOX_OK || rc == MOX_ESYNTAX || rc == MOX_ELIMIT);
    assert((rc == MOX_OK) == (p != NULL) && (rc == MOX_OK) == (err.text[0] == '\0'));
    if (rc != MOX_OK)
        return;
    assert(p->host_count > 0 || p->mode == MOX_MTASTS_NONE);
    check_hosts(p);
    mox__buf_init(&out, env, 8 * MOX_MTASTS_POLICY_MAX);
    write_policy(&out, p);
    rc = mox_mtasts_policy_parse(&again, env, buf_bytes(&out), &err);
    if (out.len <= MOX_MTASTS_POLICY_MAX) {
        assert(rc == MOX_OK && again->host_count == p->host_count && again->mode == p->mode);
        assert(again->max_age_seconds == p->max_age_seconds);
        for (size_t i = 0; i < p->host_count; i++)
            assert(strcmp(again->hosts[i].name, p->hosts[i].name) == 0 &&
                   again->hosts[i].any_label == p->hosts[i].any_label);
    }
    mox__buf_free(&out);
    mox_mtasts_policy_free(env, again);
    mox_mtasts_policy_free(env, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    mox_env_system(&env);
    check_record(slice(data, len));
    check_policy(&env, slice(data, len));
    return 0;
}
