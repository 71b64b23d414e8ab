/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sasl/client.h"

/* LOGIN (draft-murchison-sasl-login): the name, then the password, whatever the challenges say; servers
 * word them differently. */

static int step(struct mox_sasl_client *c, struct mox_slice challenge)
{
    (void)challenge;
    if (c->phase > 1)
        return MOX_ESYNTAX;
    const char *text = c->phase++ == 0 ? c->username : c->password;
    if (mox__sasl_respond(c, strlen(text)) < 0)
        return MOX_ENOMEM;
    mox__buf_text(&c->out, text);
    c->is_done = c->phase == 2;
    return MOX_OK;
}

const struct client_mechanism mox__sasl_client_login = {
    .ids = MOX_SASL_LOGIN, .needs = CLIENT_NEEDS_PASSWORD, .step = step};
