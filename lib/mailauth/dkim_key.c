/* SPDX-License-Identifier: MIT */
#include "mailauth/dkim_key.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"

struct mox_dkim_key {
    struct mox_env env;
    struct private_key *private;
};

/* Takes the private key, also when it fails. */
static int wrap(struct mox_dkim_key **out, const struct mox_env *env, struct private_key *private)
{
    struct mox_dkim_key *key = mem_new(env, struct mox_dkim_key, 1);
    if (key == NULL) {
        mox__private_free(private);
        return MOX_ENOMEM;
    }
    key->env = *env;
    key->private = private;
    *out = key;
    return MOX_OK;
}

static bool are_good_bits(unsigned bits)
{
    return bits >= MOX_DKIM_RSA_BITS_MIN && bits <= MOX_DKIM_RSA_BITS_MAX;
}

int mox_dkim_key_parse(struct mox_dkim_key **out, const struct mox_env *env, struct mox_slice pem,
                       struct mox_error *err)
{
    struct private_key *private;
    *out = NULL;
    int rc = mox__private_parse(&private, env, pem, err);
    if (rc == MOX_ELIMIT)
        return MOX_EREFUSED;
    if (rc < 0)
        return rc;
    unsigned bits = mox__private_bits(private);
    if (bits != 0 && !are_good_bits(bits)) {
        mox__private_free(private);
        return mox__fail(err, MOX_EREFUSED,
                         "read a private key: RSA of %u bits; %d at least, 2048 are usual", bits,
                         MOX_DKIM_RSA_BITS_MIN);
    }
    if (wrap(out, env, private) < 0)
        return mox__fail(err, MOX_ENOMEM, "read a private key: out of memory");
    return MOX_OK;
}

int mox_dkim_key_generate(struct mox_dkim_key **out, const struct mox_env *env,
                          enum mox_dkim_key_type type, unsigned bits)
{
    struct private_key *private;
    *out = NULL;
    if (type == MOX_DKIM_RSA && !are_good_bits(bits))
        return MOX_EREFUSED;
    int rc = mox__private_generate(&private, env, type == MOX_DKIM_RSA ? bits : 0);
    return rc < 0 ? rc : wrap(out, env, private);
}

void mox_dkim_key_free(struct mox_dkim_key *key)
{
    if (key == NULL)
        return;
    struct mox_env env = key->env;
    mox__private_free(key->private);
    mox__mem_free(&env, key);
}

enum mox_dkim_key_type mox_dkim_key_type(const struct mox_dkim_key *key)
{
    return mox__private_bits(key->private) != 0 ? MOX_DKIM_RSA : MOX_DKIM_ED25519;
}

const char *mox__dkim_key_algorithm(const struct mox_dkim_key *key)
{
    return mox_dkim_key_type(key) == MOX_DKIM_RSA ? "rsa-sha256" : "ed25519-sha256";
}

struct private_key *mox__dkim_private(struct mox_dkim_key *key)
{
    return key->private;
}

int mox_dkim_key_pem(const struct mox_dkim_key *key, char *out, size_t size)
{
    _Static_assert(PRIVATE_PEM_MAX <= MOX_DKIM_KEY_PEM_MAX, "as its header says");
    return mox__private_pem(key->private, out, size);
}

int mox_dkim_key_record(const struct mox_dkim_key *key, char *out, size_t size)
{
    _Static_assert((PUBLIC_DER_MAX + 2) / 3 * 4 + 32 <= MOX_DKIM_KEY_RECORD_MAX,
                   "as its header says");
    uint8_t public[PUBLIC_DER_MAX];
    size_t len;
    struct buf text = buf_over(out, size);
    int rc = mox__private_public(key->private, public, &len);
    if (rc < 0)
        return rc;
    mox__buf_text(&text, "v=DKIM1;k=");
    mox__buf_text(&text, mox_dkim_key_type(key) == MOX_DKIM_RSA ? "rsa" : "ed25519");
    mox__buf_text(&text, ";p=");
    mox__base64_encode(&text, (struct mox_slice){public, len});
    mox__buf_byte(&text, '\0');
    return text.failed ? MOX_ELIMIT : MOX_OK;
}
