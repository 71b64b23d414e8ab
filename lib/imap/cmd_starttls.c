/* SPDX-License-Identifier: MIT */
#include "imap/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* STARTTLS (RFC 3501 §6.2.1). What the client has sent behind the line stays in the input and goes
 * to the handshake: mox_imap_server_tls_rest(). */

enum step mox__cmd_starttls(struct mox_imap_server *s, struct command *c)
{
    if (s->peer.tls)
        return mox__imap_bad(c, NULL, "TLS is active already");
    if (!s->config.starttls)
        return mox__imap_bad(c, NULL, "TLS is not available");
    /* The number leads from a client's log to the lines of this connection in ours. */
    char text[64];
    (void)snprintf(text, sizeof text, "begin TLS now, connection %" PRIx64, s->peer.cid);
    char *kept = mox__arena_strndup(&c->arena, text, strlen(text));
    if (kept == NULL)
        return mox__imap_fail(c, MOX_ENOMEM);
    s->starttls_due = true;
    return mox__imap_ok(c, NULL, kept);
}
