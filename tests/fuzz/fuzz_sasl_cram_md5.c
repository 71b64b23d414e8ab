/* SPDX-License-Identifier: MIT */

/* CRAM-MD5 takes a name and a digest, and admits the right one: see sasl_talk.h. */

#include "sasl_talk.h"

#define DIGEST_LEN 33 /* with the space */

static void cram_md5_says(const struct talk *talk)
{
    struct mox_slice response = talk->said[talk->count - 1];
    if ((talk->flags & TALK_WAITS) == 0) { /* the server speaks first (RFC 2195 §2) */
        assert(mox_sasl_server_failure(talk->x.server) == MOX_SASL_FAILED_SYNTAX);
        return;
    }
    assert(talk->count == 2);
    if (talk->ask == 0)
        return;
    assert(response.len >= DIGEST_LEN && response.data[response.len - DIGEST_LEN] == ' ');
    struct mox_slice user = slice(response.data, response.len - DIGEST_LEN);
    if (mox__slice_is_ascii(user))
        assert_same(slice_of(talk->username), user);
    assert((talk->flags & TALK_NO_RECORDS) == 0 || talk->ask == MOX_SASL_ASK_RECORD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return sasl_talk(MOX_SASL_CRAM_MD5, cram_md5_says, data, len);
}
