/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sasl/client.h"

/* PLAIN (RFC 4616): [authorization identity] NUL user name NUL password. */

static int step(struct mox_sasl_client *c, struct mox_slice challenge)
{
    (void)challenge;
    if (c->phase++ > 0)
        return MOX_ESYNTAX; /* there is nothing more to ask */
    if (mox__sasl_respond(c, strlen(c->authorize) + strlen(c->username) + strlen(c->password) + 2) <
        0)
        return MOX_ENOMEM;
    mox__buf_text(&c->out, c->authorize);
    mox__buf_byte(&c->out, '\0');
    mox__buf_text(&c->out, c->username);
    mox__buf_byte(&c->out, '\0');
    mox__buf_text(&c->out, c->password);
    c->is_done = true;
    return MOX_OK;
}

const struct client_mechanism mox__sasl_client_plain = {
    .ids = MOX_SASL_PLAIN, .needs = CLIENT_NEEDS_PASSWORD | CLIENT_SPEAKS_FIRST, .step = step};
