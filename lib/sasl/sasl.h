/* SPDX-License-Identifier: MIT */
#ifndef SASL_SASL_H
#define SASL_SASL_H

#include <mox/env.h>

#include "base/buf.h"

/* The server side of one SASL exchange (RFC 4422), for SMTP and IMAP alike. The protocol engine
 * does the base64 and the framing; a mechanism eats decoded responses and says what comes next.
 *
 *   struct sasl x;
 *   mox__sasl_start(&x, env, mox__sasl_find(name));
 *   step = mox__sasl_step(&x, response, &challenge);   for the initial response, if there was one,
 *                                                      else once with SASL_NO_RESPONSE
 *   … while SASL_CHALLENGE: send the challenge, step with the client's next response …
 *   mox__sasl_end(&x);                                 wipes the secrets */

enum sasl_step {
    SASL_CHALLENGE, /* send the challenge (it may be empty), then step with the response */
    SASL_PASSWORD,  /* username and password are there: the host verifies them */
    SASL_MALFORMED, /* the response breaks the mechanism's grammar */
    SASL_REFUSED,   /* the client wants to act as somebody else */
    SASL_FAILED     /* out of memory */
};

/* Longest response, decoded: three quarters of the 12,288 bytes of RFC 4954 §4. */
#define SASL_RESPONSE_MAX 9216

struct sasl {
    const struct sasl_mechanism *mechanism;
    struct buf text; /* user name, NUL, password, NUL */
    size_t password_at;
    unsigned round; /* responses so far */
};

/* What a step is given when the client sent no initial response. */
#define SASL_NO_RESPONSE ((struct mox_slice){NULL, 0})

/* The mechanism of this name, in any case of letters; NULL for one that we do not have. */
MOX_PRIV const struct sasl_mechanism *mox__sasl_find(struct mox_slice name);
/* "PLAIN" … for the log and for announcements. */
MOX_PRIV const char *mox__sasl_name(const struct sasl_mechanism *m);
/* Whether it hands the password to whoever reads the connection. */
MOX_PRIV bool mox__sasl_is_clear_text(const struct sasl_mechanism *m);
/* The nth name of those offered, best first; NULL behind the last. */
MOX_PRIV const char *mox__sasl_offered(size_t n);

MOX_PRIV void mox__sasl_start(struct sasl *x, const struct mox_env *env,
                              const struct sasl_mechanism *m);
/* `response` is borrowed for the call. An empty initial response has data that is not NULL.
 * *challenge is set for SASL_CHALLENGE and borrowed for the exchange. */
MOX_PRIV enum sasl_step mox__sasl_step(struct sasl *x, struct mox_slice response,
                                       struct mox_slice *challenge);
/* Valid after SASL_PASSWORD until mox__sasl_end(). UTF-8 as sent, NUL-terminated. */
MOX_PRIV const char *mox__sasl_username(const struct sasl *x);
MOX_PRIV const char *mox__sasl_password(const struct sasl *x);
/* Wipes and frees. May be called on an exchange that was zeroed or ended. */
MOX_PRIV void mox__sasl_end(struct sasl *x);

#endif
