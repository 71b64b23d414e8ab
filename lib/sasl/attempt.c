/* SPDX-License-Identifier: MIT */
#include "sasl/attempt.h"

#include <stdio.h>

#include "base/log.h"

#define TEXT_MAX 320

/* Somebody between us and the client is worth a look; a wrong password is not. */
static enum mox_log_level level_of(enum mox_sasl_failure failure)
{
    return failure == MOX_SASL_FAILED_BINDING ? MOX_LOG_WARN : MOX_LOG_INFO;
}

void mox__sasl_log_attempt(const struct mox_env *env, const char *pkg, const char *protocol,
                           const struct mox_peer *peer, const struct mox_sasl_attempt *attempt,
                           const char *text)
{
    enum mox_sasl_failure failure = attempt->failure;
    char warning[TEXT_MAX];
    if (failure == MOX_SASL_FAILED_BINDING) {
        (void)snprintf(warning, sizeof warning, "possible man in the middle: %s", text);
        text = warning;
    }
    log_line(env, level_of(failure), pkg, failure == 0 ? "login" : "failed authentication attempt",
             text[0] == '\0' ? NULL : text, F_HEX("cid", peer->cid),
             F_TEXT("remote", peer->remote_ip), F_TEXT("protocol", protocol),
             F_TEXT("mechanism", attempt->mechanism), F_TEXT("user", attempt->username),
             F_TEXT("reason", mox_sasl_failure_name(failure)));
}
