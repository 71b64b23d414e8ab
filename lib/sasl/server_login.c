/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "sasl/server.h"

/* LOGIN (draft-murchison-sasl-login): asks for the user name and for the password. Nothing newer
 * says how, so the challenges are those that all clients know. The user name may come first. */

enum { ASKED_NOTHING, ASKED_USERNAME, ASKED_PASSWORD };

static enum mox_sasl_step step(struct mox_sasl_server *s, struct mox_slice response)
{
    if (s->phase == ASKED_NOTHING && response.data == NULL) {
        s->phase = ASKED_USERNAME;
        return mox__sasl_challenge(s, slice_of("Username:"));
    }
    if (s->phase != ASKED_PASSWORD) {
        s->phase = ASKED_PASSWORD;
        if (!mox__sasl_take_username(s, response))
            return MOX_SASL_FAILURE;
        return mox__sasl_challenge(s, slice_of("Password:"));
    }
    if (!mox__sasl_take_secret(s, response))
        return MOX_SASL_FAILURE;
    return mox__sasl_ask(s, MOX_SASL_ASK_PASSWORD);
}

const struct server_mechanism mox__sasl_server_login = {
    .ids = MOX_SASL_LOGIN, .step = step, .answer = mox__sasl_conclude};
