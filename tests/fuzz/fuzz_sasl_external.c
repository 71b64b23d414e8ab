/* SPDX-License-Identifier: MIT */

/* EXTERNAL takes a name or none, of who has shown a certificate: see sasl_talk.h. */

#include "sasl_talk.h"

static void external_says(const struct talk *talk)
{
    struct mox_slice response = talk->said[talk->count - 1];
    bool has_certificate =
        (talk->flags & TALK_TLS) != 0 && (talk->flags & TALK_NO_CERTIFICATE) == 0;
    assert(talk->count == ((talk->flags & TALK_WAITS) != 0 ? 2 : 1));
    assert(talk->ask == 0 || (has_certificate && talk_is_text(response)));
    if (talk->ask != 0 && mox__slice_is_ascii(response))
        assert_same(slice_of(talk->username), response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return sasl_talk(MOX_SASL_EXTERNAL, external_says, data, len);
}
