/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "sasl/server.h"

/* EXTERNAL (RFC 4422 appendix A): TLS has seen the client's certificate; the response is the
 * authorization identity, or empty for whoever the certificate belongs to. */

static enum mox_sasl_step step(struct mox_sasl_server *s, struct mox_slice response)
{
    if (s->phase++ == 0 && response.data == NULL)
        return mox__sasl_challenge(s, slice("", 0));
    if (!mox__sasl_take_username(s, response))
        return MOX_SASL_FAILURE;
    if (!s->channel.has_client_key)
        return mox__sasl_fail(s, MOX_SASL_FAILED_CREDENTIALS, "no client certificate");
    return mox__sasl_ask(s, MOX_SASL_ASK_CERTIFICATE);
}

const struct server_mechanism mox__sasl_server_external = {
    .ids = MOX_SASL_EXTERNAL, .step = step, .answer = mox__sasl_conclude_whose};
