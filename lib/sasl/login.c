/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "sasl/mechanism.h"

/* LOGIN (draft-murchison-sasl-login): asks for the user name and for the password. Nothing newer
 * says how, so the challenges are those that all clients know. The user name may come first. */

static enum sasl_step login_step(struct sasl *x, struct mox_slice response,
                                 struct mox_slice *challenge)
{
    enum sasl_step step;
    if (x->round == 0 && response.data == NULL) {
        *challenge = slice_of("Username:");
        return SASL_CHALLENGE;
    }
    bool is_password = x->text.len > 0;
    if (is_password)
        x->password_at = x->text.len;
    if (!mox__sasl_keep(x, response, &step))
        return step;
    if (is_password)
        return SASL_PASSWORD;
    *challenge = slice_of("Password:");
    return SASL_CHALLENGE;
}

const struct sasl_mechanism mox__sasl_login = {"LOGIN", true, login_step};
