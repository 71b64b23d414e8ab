/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "sasl/mechanism.h"

/* PLAIN (RFC 4616): one response, authorization identity NUL user name NUL password. */

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

static enum sasl_step plain_step(struct sasl *x, struct mox_slice response,
                                 struct mox_slice *challenge)
{
    if (x->round == 0 && response.data == NULL) {
        *challenge = slice("", 0);
        return SASL_CHALLENGE;
    }
    struct mox_slice authorize, username, password = response;
    if (!take_part(&password, &authorize) || !take_part(&password, &username))
        return SASL_MALFORMED;
    enum sasl_step step = SASL_PASSWORD;
    if (!mox__sasl_keep(x, username, &step))
        return step;
    x->password_at = x->text.len;
    if (!mox__sasl_keep(x, password, &step))
        return step;
    /* Nobody may act for somebody else. */
    if (authorize.len > 0 && !mox__slice_eq(authorize, username))
        return SASL_REFUSED;
    return SASL_PASSWORD;
}

const struct sasl_mechanism mox__sasl_plain = {"PLAIN", true, plain_step};
