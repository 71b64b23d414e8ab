/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "sasl/server.h"

/* PLAIN (RFC 4616): one response, [authorization identity] NUL user name NUL password. */

/* Cuts the text at its first NUL; false if there is none. */
static bool take_part(struct mox_slice *rest, struct mox_slice *part)
{
    const uint8_t *nul = rest->len == 0 ? NULL : memchr(rest->data, '\0', rest->len);
    if (nul == NULL)
        return false;
    *part = slice(rest->data, (size_t)(nul - rest->data));
    *rest = slice_from(*rest, part->len + 1);
    return true;
}

static enum mox_sasl_step step(struct mox_sasl_server *s, struct mox_slice response)
{
    if (s->phase++ == 0 && response.data == NULL)
        return mox__sasl_challenge(s, slice("", 0));
    struct mox_slice authorize, username, password = response;
    if (!take_part(&password, &authorize) || !take_part(&password, &username) ||
        !mox__sasl_is_text(authorize) || !mox__sasl_is_text(password))
        return mox__sasl_fail(s, MOX_SASL_FAILED_SYNTAX, "not three texts with NULs between");
    if (!mox__sasl_take_username(s, username))
        return MOX_SASL_FAILURE;
    /* Nobody may act for somebody else. The same name is the same bytes, before NFC too. */
    if (authorize.len > 0 && !mox__slice_eq(authorize, username) &&
        !mox__slice_is(authorize, s->username))
        return mox__sasl_fail(s, MOX_SASL_FAILED_AUTHORIZATION, "");
    if (!mox__sasl_take_secret(s, password))
        return MOX_SASL_FAILURE;
    return mox__sasl_ask(s, MOX_SASL_ASK_PASSWORD);
}

const struct server_mechanism mox__sasl_server_plain = {
    .ids = MOX_SASL_PLAIN, .step = step, .answer = mox__sasl_conclude};
