/* SPDX-License-Identifier: MIT */
#include "sasl/attempt.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define TEXT_MAX 320

int mox__sasl_begin(struct mox_sasl_server **out, const struct mox_env *env,
                    enum mox_sasl_mechanism m, const char *hostname, const struct mox_tls_info *tls,
                    unsigned offered, const uint8_t secret[32])
{
    struct mox_sasl_server_config config;
    mox_sasl_server_config_init(&config);
    config.hostname = hostname;
    config.tls = tls;
    config.offered = offered;
    memcpy(config.secret, secret, sizeof config.secret);
    int rc = mox_sasl_server_new(out, env, m, &config);
    mox__wipe(config.secret, sizeof config.secret);
    return rc;
}

struct mox_sasl_attempt mox__sasl_attempt(const struct mox_sasl_server *x, bool by_certificate,
                                          enum mox_sasl_failure failure)
{
    return (struct mox_sasl_attempt){
        .size = sizeof(struct mox_sasl_attempt),
        .mechanism = by_certificate ? MOX_SASL_BY_CERTIFICATE
                                    : mox_sasl_mechanism_name(mox_sasl_server_mechanism(x)),
        .username = mox_sasl_server_username(x),
        .failure = failure,
        .harmless = failure != 0 && mox_sasl_server_is_harmless(x),
    };
}

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
