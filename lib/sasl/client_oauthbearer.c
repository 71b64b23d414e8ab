/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "sasl/client.h"

/* OAUTHBEARER (RFC 7628 §3.1): who we want to be, where we think we are, and the token. A challenge
 * says in JSON that it does not admit us; it is answered with ^A, and the server ends (§3.2.3). */

#define PAIR_END "\x01"
#define FIXED    64 /* what is neither name, host nor token, port included */

/* A token, or a host, that would end its pair early. */
static int start(struct mox_sasl_client *c)
{
    for (const char *t = c->token; *t != '\0'; t++)
        if ((uint8_t)*t <= ' ' || (uint8_t)*t > '~')
            return MOX_EINVAL;
    return strpbrk(c->hostname, PAIR_END) == NULL ? MOX_OK : MOX_EINVAL;
}

static int say_token(struct mox_sasl_client *c)
{
    const char *name = c->authorize[0] != '\0' ? c->authorize : c->username;
    size_t max = strlen(name) * 3 + strlen(c->hostname) + strlen(c->token) + FIXED;
    if (mox__sasl_respond(c, max) < 0)
        return MOX_ENOMEM;
    mox__buf_text(&c->out, "n,");
    if (name[0] != '\0') {
        mox__buf_text(&c->out, "a=");
        mox__saslname_encode(&c->out, name);
    }
    mox__buf_text(&c->out, "," PAIR_END);
    if (c->hostname[0] != '\0') {
        mox__buf_text(&c->out, "host=");
        mox__buf_text(&c->out, c->hostname);
        mox__buf_text(&c->out, PAIR_END);
    }
    if (c->port != 0) {
        mox__buf_text(&c->out, "port=");
        mox__buf_uint(&c->out, c->port);
        mox__buf_text(&c->out, PAIR_END);
    }
    mox__buf_text(&c->out, "auth=Bearer ");
    mox__buf_text(&c->out, c->token);
    mox__buf_text(&c->out, PAIR_END PAIR_END);
    c->is_done = true;
    return MOX_OK;
}

static int step(struct mox_sasl_client *c, struct mox_slice challenge)
{
    (void)challenge;
    if (c->phase++ == 0)
        return say_token(c);
    if (c->phase > 2)
        return MOX_ESYNTAX;
    c->is_done = false;
    if (mox__sasl_respond(c, 1) < 0)
        return MOX_ENOMEM;
    mox__buf_text(&c->out, PAIR_END);
    return MOX_OK;
}

const struct client_mechanism mox__sasl_client_oauthbearer = {
    .ids = MOX_SASL_OAUTHBEARER,
    .needs = CLIENT_NEEDS_TOKEN | CLIENT_SPEAKS_FIRST,
    .start = start,
    .step = step,
};
