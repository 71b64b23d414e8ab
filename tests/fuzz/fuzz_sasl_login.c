/* SPDX-License-Identifier: MIT */

/* LOGIN takes a name and a password, and nothing else: see sasl_talk.h. */

#include "sasl_talk.h"

static void login_says(const struct talk *talk)
{
    size_t first = (talk->flags & TALK_WAITS) != 0;
    struct mox_slice user = talk->said[first];
    enum mox_sasl_failure failure = mox_sasl_server_failure(talk->x.server);
    if (talk->ask == 0) {
        struct mox_slice last = talk->said[talk->count - 1];
        assert(failure == MOX_SASL_FAILED_SYNTAX);
        assert(!talk_is_text(last) || last.len * 3 >= MOX_SASL_USERNAME_MAX);
        return;
    }
    assert(talk->count == first + 2);
    assert_same(slice_of(talk->secret), talk->said[first + 1]);
    if (mox__slice_is_ascii(user))
        assert_same(slice_of(talk->username), user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return sasl_talk(MOX_SASL_LOGIN, login_says, data, len);
}
