/* SPDX-License-Identifier: MIT */
#ifndef SASL_ATTEMPT_H
#define SASL_ATTEMPT_H

#include <mox/engine.h>
#include <mox/env.h>
#include <mox/sasl.h>

#include "base/priv.h"

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
