/* SPDX-License-Identifier: MIT */

/* Mechanisms take what their grammar says and nothing else; what is stored of a password lets its owner
 * in; a password that was prepared stays as it is. Input: a mechanism, and responses with LFs between.
 */

#include "base/base64.h"
#include "fuzz/input.h"
#include "sasl/credentials.h"
#include "sasl/sasl.h"
#include "support/testenv.h"

static bool is_text(struct mox_slice s)
{
    return mox__slice_is_utf8(s) && (s.len == 0 || memchr(s.data, 0, s.len) == NULL);
}

/* RFC 4616: [authzid] NUL authcid NUL passwd. */
static enum sasl_step plain_says(struct mox_slice response, struct mox_slice *user,
                                 struct mox_slice *password)
{
    struct input in = {response};
    size_t nuls = 0;
    for (size_t i = 0; i < response.len; i++)
        nuls += response.data[i] == 0;
    struct mox_slice authorize = input_until(&in, 0);
    *user = input_until(&in, 0);
    *password = in.rest;
    if (nuls < 2)
        return SASL_MALFORMED;
    if (nuls > 2 || !is_text(*user) || !is_text(*password))
        return SASL_MALFORMED;
    return authorize.len > 0 && !mox__slice_eq(authorize, *user) ? SASL_REFUSED : SASL_PASSWORD;
}

static void check_plain(const struct mox_env *env, struct mox_slice response)
{
    struct sasl x;
    struct mox_slice challenge, user, password;
    mox__sasl_start(&x, env, mox__sasl_find(slice_of("plain")));
    if (response.data == NULL)
        response = slice_of("");
    enum sasl_step step = mox__sasl_step(&x, response, &challenge);
    assert(response.len > SASL_RESPONSE_MAX || step == plain_says(response, &user, &password));
    if (step == SASL_PASSWORD) {
        assert_same(slice_of(mox__sasl_username(&x)), user);
        assert_same(slice_of(mox__sasl_password(&x)), password);
    }
    mox__sasl_end(&x);
}

static void check_login(const struct mox_env *env, struct input in)
{
    struct sasl x;
    struct mox_slice challenge, said[2];
    mox__sasl_start(&x, env, mox__sasl_find(slice_of("LOGIN")));
    assert(mox__sasl_step(&x, SASL_NO_RESPONSE, &challenge) == SASL_CHALLENGE && challenge.len > 0);
    for (size_t i = 0; i < 2; i++) {
        said[i] = input_until(&in, '\n');
        if (said[i].data == NULL)
            said[i] = slice_of("");
        enum sasl_step step = mox__sasl_step(&x, said[i], &challenge);
        if (!is_text(said[i]) || step == SASL_MALFORMED) {
            assert(step == SASL_MALFORMED);
            break;
        }
        assert(step == (i == 0 ? SASL_CHALLENGE : SASL_PASSWORD));
        if (i == 1) {
            assert_same(slice_of(mox__sasl_username(&x)), said[0]);
            assert_same(slice_of(mox__sasl_password(&x)), said[1]);
        }
    }
    mox__sasl_end(&x);
}

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
    struct input in = {{data, len}};
    char text[2048];
    test_env_init(&t);
    check_plain(&t.env, in.rest);
    check_login(&t.env, in);
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
