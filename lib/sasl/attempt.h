/* SPDX-License-Identifier: MIT */
#ifndef SASL_ATTEMPT_H
#define SASL_ATTEMPT_H

#include <mox/engine.h>
#include <mox/env.h>
#include <mox/sasl.h>

#include "base/priv.h"

/* What protocol engines have in common of an attempt to log in. */

/* Begins the exchange of an attempt on this connection.
 *
 * @param tls      NULL without TLS
 * @param offered  the mechanisms that were announced: a set
 * @param secret   of struct mox_sasl_server_config */
MOX_PRIV MOX_MUST_USE int mox__sasl_begin(struct mox_sasl_server **out, const struct mox_env *env,
                                          enum mox_sasl_mechanism m, const char *hostname,
                                          const struct mox_tls_info *tls, unsigned offered,
                                          const uint8_t secret[32]);

/* How it ended, for who counts it; texts are borrowed of the exchange.
 *
 * @param by_certificate  nobody sent a command: the certificate stood for it */
MOX_PRIV struct mox_sasl_attempt mox__sasl_attempt(const struct mox_sasl_server *x,
                                                   bool by_certificate,
                                                   enum mox_sasl_failure failure);

/* The one log line of an attempt to log in, the same for all protocols: programs that block guessers
 * match "failed authentication attempt" and its keys.
 *
 * @param pkg       of the log: "smtpserver"
 * @param protocol  "smtp", "imap"
 * @param text      mox_sasl_server_text() */
MOX_PRIV void mox__sasl_log_attempt(const struct mox_env *env, const char *pkg,
                                    const char *protocol, const struct mox_peer *peer,
                                    const struct mox_sasl_attempt *attempt, const char *text);

#endif
