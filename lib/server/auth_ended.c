/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "server/login.h"
#include "server/metrics.h"

/* The one place where attempts to log in end, of whatever protocol: who counts, limits or remembers
 * them adds a line here. The log has had its line (sasl/attempt.h). */

static void lower(const char *text, char *out, size_t size)
{
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < size; i++)
        out[i] = (char)to_lower((uint8_t)text[i]);
    out[i] = '\0';
}

static uint64_t record(struct mox_server *s, const struct service_endpoint *e,
                       const struct mox_peer *peer, const struct mox_sasl_attempt *attempt,
                       const char *user_agent)
{
    char tls[96] = "", mechanism[32];
    if (peer->tls)
        (void)snprintf(tls, sizeof tls, "%s %s", peer->tls_info.version, peer->tls_info.cipher);
    lower(attempt->mechanism, mechanism, sizeof mechanism);
    const struct mox_config_account *account =
        *attempt->username == '\0' ? NULL : mox__login_account(s, attempt->username);
    const struct mox_login_attempt row = {
        .size = sizeof row,
        .account = account == NULL ? NULL : account->name,
        .address = attempt->username,
        .remote_ip = peer->remote_ip,
        .local_ip = peer->local_ip,
        .tls = tls,
        .protocol = e->kind >= SERVE_IMAP ? "imap" : "submission",
        .user_agent = user_agent,
        .mechanism = mechanism,
        .result = mox_sasl_failure_name(attempt->failure),
    };
    return mox_auth_db_note_login(s->auth_db, &row);
}

uint64_t mox__auth_ended(struct mox_server *s, const struct service_endpoint *e,
                         const struct mox_peer *peer, const struct mox_sasl_attempt *attempt,
                         const char *user_agent)
{
    mox__count_login(s, e, attempt);
    mox__limits_auth_ended(s, peer->remote_ip, attempt);
    return s->auth_db == NULL ? 0 : record(s, e, peer, attempt, user_agent);
}
