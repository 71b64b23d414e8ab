/* SPDX-License-Identifier: MIT */

/* PLAIN is what RFC 4616 says, and nothing else: see sasl_talk.h. */

#include "sasl_talk.h"

/* [authzid] NUL authcid NUL passwd */
static void plain_says(const struct talk *talk)
{
    struct mox_slice response = talk->said[talk->count - 1];
    struct input in = {response};
    size_t nuls = 0;
    for (size_t i = 0; i < response.len; i++)
        nuls += response.data[i] == 0;
    struct mox_slice authorize = input_until(&in, 0), user = input_until(&in, 0);
    struct mox_slice password = in.rest;
    enum mox_sasl_failure failure = mox_sasl_server_failure(talk->x.server);
    bool fine = nuls == 2 && talk_is_text(authorize) && talk_is_text(user) &&
                talk_is_text(password) && user.len < MOX_SASL_USERNAME_MAX &&
                response.len <= MOX_SASL_RESPONSE_MAX;
    assert(talk->count == ((talk->flags & TALK_WAITS) != 0 ? 2 : 1));
    if (!fine) { /* or NFC has made it longer */
        assert(failure == MOX_SASL_FAILED_SYNTAX);
    } else if (talk->ask != 0) {
        assert_same(slice_of(talk->secret), password);
        if (mox__slice_is_ascii(user))
            assert_same(slice_of(talk->username), user);
    } else {
        assert((failure == MOX_SASL_FAILED_SYNTAX && user.len * 3 >= MOX_SASL_USERNAME_MAX) ||
               (failure == MOX_SASL_FAILED_AUTHORIZATION && authorize.len > 0 &&
                !mox__slice_eq(authorize, user)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return sasl_talk(MOX_SASL_PLAIN, plain_says, data, len);
}
