/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sasl/client.h"

/* EXTERNAL (RFC 4422 appendix A): the authorization identity, or nothing: whoever the certificate of
 * TLS belongs to. */

static int step(struct mox_sasl_client *c, struct mox_slice challenge)
{
    (void)challenge;
    if (c->phase++ > 0)
        return MOX_ESYNTAX;
    if (mox__sasl_respond(c, strlen(c->authorize)) < 0)
        return MOX_ENOMEM;
    mox__buf_text(&c->out, c->authorize);
    c->is_done = true;
    return MOX_OK;
}

const struct client_mechanism mox__sasl_client_external = {
    .ids = MOX_SASL_EXTERNAL, .needs = CLIENT_SPEAKS_FIRST, .step = step};
