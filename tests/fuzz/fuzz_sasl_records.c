/* SPDX-License-Identifier: MIT */

/* What is stored of a password lets its owner in; a password that was prepared stays as it is. Input: the
 * password. */

#include "base/base64.h"
#include "fuzz/input.h"
#include "sasl/credentials.h"
#include "support/testenv.h"

static void put_base64(struct buf *out, const void *data, size_t len)
{
    mox__buf_byte(out, ':');
    mox__base64_encode(out, slice(data, len));
}

/* RFC 5802 §3: a client that knows the password proves it. */
static void owner_is_let_in(const struct mox_env *env, enum hash h, struct mox_slice password)
{
    struct scram_record r, again;
    uint8_t salted[HASH_MAX], key[HASH_MAX], stored[HASH_MAX], proof[HASH_MAX], sign[HASH_MAX];
    const struct mox_slice message = slice_of("n=u,r=1,r=2,c=x");
    size_t len = mox__hash_len(h);
    struct buf record;
    mox__scram_derive(&r, h, password, slice_of("salt"), 2);
    mox__buf_init(&record, env, SIZE_MAX / 2);
    mox__buf_text(&record, "2");
    put_base64(&record, r.salt, r.salt_len);
    put_base64(&record, r.stored_key, len);
    put_base64(&record, r.server_key, len);
    mox__buf_byte(&record, 0);
    assert(mox__scram_parse(&again, h, (const char *)record.data) == MOX_OK);

    mox__pbkdf2(h, password, slice_of("salt"), 2, salted);
    mox__hmac(h, slice(salted, len), slice_of("Client Key"), key);
    mox__hash(h, slice(key, len), stored);
    mox__hmac(h, slice(stored, len), message, proof);
    for (size_t i = 0; i < len; i++)
        proof[i] ^= key[i];
    assert(mox__scram_verify(&again, message, slice(proof, len), sign));
    proof[password.len % len] ^= 1;
    assert(!mox__scram_verify(&again, message, slice(proof, len), sign));
    mox__buf_free(&record);
}

static void check_records(const char *record)
{
    struct scram_record r;
    const uint8_t digest[16] = {1};
    for (int h = HASH_SHA1; h <= HASH_SHA256; h++) {
        int rc = mox__scram_parse(&r, (enum hash)h, record);
        assert(rc != MOX_OK || (r.iterations > 0 && r.salt_len <= SCRAM_SALT_MAX));
    }
    assert(!mox__cram_md5_verify(record, slice_of("<x>"), digest));
}

static void check_password(const struct mox_env *env, const char *password)
{
    struct buf once, twice;
    struct mox_error err;
    mox__buf_init(&once, env, 4096);
    mox__buf_init(&twice, env, 4096);
    int rc = mox__password_prepare(&once, password, &err);
    assert(rc == MOX_OK || (rc == MOX_EDENIED && err.text[0] != '\0'));
    /* Never in the text of the error, which is shown. */
    assert(rc == MOX_OK || strlen(password) < 12 || strstr(err.text, password) == NULL);
    if (rc == MOX_OK) {
        assert(once.len > 0 && mox__slice_is_utf8(buf_bytes(&once)));
        mox__buf_byte(&once, 0);
        /* NFC may have made it longer than a password can be. */
        rc = mox__password_prepare(&twice, (const char *)once.data, &err);
        assert(rc == MOX_OK || once.len > CREDENTIAL_PASSWORD_MAX);
        if (rc == MOX_OK)
            assert_same(buf_bytes(&twice), slice(once.data, once.len - 1));
    }
    mox__buf_free(&once);
    mox__buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct test_env t;
    char text[2048];
    test_env_init(&t);
    size_t n = len < sizeof text - 1 ? len : sizeof text - 1;
    if (n > 0)
        memcpy(text, data, n);
    text[n] = '\0';
    check_records(text);
    check_password(&t.env, text);
    owner_is_let_in(&t.env, HASH_SHA1, slice(data, n));
    owner_is_let_in(&t.env, HASH_SHA256, slice(data, n));
    test_env_done(&t);
    return 0;
}
