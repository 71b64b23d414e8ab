/* SPDX-License-Identifier: MIT */
#include "server/metrics.h"

/* The one place where attempts to log in end, of whatever protocol: who counts, limits or remembers
 * them adds a line here. The log has had its line (sasl/attempt.h). */

void mox__auth_ended(struct mox_server *s, const struct service_endpoint *e,
                     const struct mox_peer *peer, const struct mox_sasl_attempt *attempt)
{
    mox__count_login(s, e, attempt);
    mox__limits_auth_ended(s, peer->remote_ip, attempt);
}
