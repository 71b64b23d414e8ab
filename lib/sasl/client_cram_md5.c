/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "sasl/client.h"

/* CRAM-MD5 (RFC 2195 §2): the user's name, a space, and HMAC-MD5 of the challenge with the password in
 * hexadecimal digits. */

#define DIGEST_LEN 16

static int step(struct mox_sasl_client *c, struct mox_slice challenge)
{
    static const char digits[] = "0123456789abcdef";
    struct buf password;
    uint8_t digest[HASH_MAX];
    if (c->phase++ > 0 || challenge.len == 0)
        return MOX_ESYNTAX;
    int rc = mox__sasl_client_password(c, &password);
    if (rc == MOX_OK)
        rc = mox__sasl_respond(c, strlen(c->username) + 1 + 2 * DIGEST_LEN);
    if (rc == MOX_OK) {
        mox__hmac(HASH_MD5, slice(password.data, password.len), challenge, digest);
        mox__buf_text(&c->out, c->username);
        mox__buf_byte(&c->out, ' ');
        for (size_t i = 0; i < DIGEST_LEN; i++) {
            mox__buf_byte(&c->out, (uint8_t)digits[digest[i] >> 4]);
            mox__buf_byte(&c->out, (uint8_t)digits[digest[i] & 15]);
        }
        c->is_done = true;
    }
    if (password.data != NULL)
        mox__wipe(password.data, password.cap);
    mox__buf_free(&password);
    return rc;
}

const struct client_mechanism mox__sasl_client_cram_md5 = {
    .ids = MOX_SASL_CRAM_MD5, .needs = CLIENT_NEEDS_PASSWORD, .step = step};
