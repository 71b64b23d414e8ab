/* SPDX-License-Identifier: MIT */

/* A key record is one that may be used, or one with a problem, or none; its key is read or refused. */

#include "fuzz/input.h"
#include "mailauth/dkim_key_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct dkim_key_record r;
    struct mox_env env;
    const char *problem = NULL;
    mox_env_system(&env);
    int rc = mox__dkim_key_record_parse(&r, slice(data, len), &problem);
    assert(rc == MOX_OK || rc == MOX_ENOTFOUND || rc == MOX_ESYNTAX);
    assert(rc != MOX_ESYNTAX || problem != NULL);
    if (rc != MOX_OK)
        return 0;
    assert(r.key_len <= sizeof r.key && r.revoked == (r.key_len == 0));
    assert(r.is_rsa || r.revoked || r.key_len == ED25519_KEY_BYTES);
    if (r.is_rsa && !r.revoked) {
        struct rsa_key *key;
        unsigned bits;
        rc = mox__rsa_parse(&key, &env, slice(r.key, r.key_len), &bits);
        assert((rc == MOX_OK) == (key != NULL));
        assert(rc != MOX_OK || (bits > 0 && bits <= RSA_BITS_MAX));
        mox__rsa_free(key);
    }
    return 0;
}
