/* SPDX-License-Identifier: MIT */

/* No header brings a token of its own making; one that is made for a From is good in a Subject in front of
 * whatever else is there, and for that key alone. */

#include <mox/subjectpass.h>

#include "fuzz/input.h"

#define NOW INT64_C(1790000000000000)
#define AGE INT64_C(3600000000)

static int verify(const struct mox_env *env, struct mox_slice headers, const char *key)
{
    struct mox_error err = {0};
    int rc = mox_subjectpass_verify(env, headers, slice_of(key), AGE, NOW, &err);
    assert(rc == MOX_OK || rc == MOX_ENOTFOUND || rc == MOX_EDENIED);
    assert((rc == MOX_OK) == (err.text[0] == '\0'));
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct buf text;
    char token[MOX_SUBJECTPASS_LEN + 1];
    mox_env_system(&env);
    assert(verify(&env, slice(data, len), "a key that nobody knows") != MOX_OK);
    int rc = mox_subjectpass_generate(&env, slice(data, len), slice_of("key"), NOW, token);
    assert(rc == MOX_OK || rc == MOX_ENOTFOUND);
    if (rc != MOX_OK)
        return 0;
    assert(strlen(token) == MOX_SUBJECTPASS_LEN);
    mox__buf_init(&text, &env, len + 64);
    mox__buf_printf(&text, "Subject: %s\r\n", token);
    mox__buf_append(&text, data, len);
    assert(verify(&env, buf_bytes(&text), "key") == MOX_OK);
    assert(verify(&env, buf_bytes(&text), "yek") == MOX_EDENIED);
    mox__buf_free(&text);
    return 0;
}
