/* SPDX-License-Identifier: MIT */

/* OAUTHBEARER asks about no token that the client did not show: see sasl_talk.h. */

#include "sasl_talk.h"

static void oauthbearer_says(const struct talk *talk)
{
    struct mox_slice response = talk->said[(talk->flags & TALK_WAITS) != 0];
    size_t len = strlen(talk->secret);
    bool shown = false;
    if (talk->ask == 0)
        return;
    for (size_t i = 0; i + len <= response.len; i++)
        shown = shown || memcmp(response.data + i, talk->secret, len) == 0;
    assert(len > 0 && shown);
    assert(response.len > 2 && response.data[response.len - 1] == 1 &&
           response.data[response.len - 2] == 1);
    for (size_t i = 0; i < len; i++)
        assert(talk->secret[i] > ' ' && talk->secret[i] <= '~');
    /* Who is not admitted is told, and answers once (RFC 7628 §3.2.3). */
    if (mox_sasl_server_failure(talk->x.server) == MOX_SASL_FAILED_CREDENTIALS)
        assert(talk->count == ((talk->flags & TALK_WAITS) != 0 ? 3 : 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return sasl_talk(MOX_SASL_OAUTHBEARER, oauthbearer_says, data, len);
}
