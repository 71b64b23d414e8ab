/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "imap/auth.h"
#include "imap/capability.h"

/* greeting = "*" SP ("OK" / "PREAUTH") SP resp-text CRLF                       RFC 3501 §7.1
 *
 * A client whose certificate is somebody's key is logged in by it (RFC 3501 §7.1.4), if the host says
 * so: the greeting waits for that. */

/* Whom the certificate logs in is in; else the client can still say who it is. */
static bool let_in(struct mox_imap_server *s)
{
    struct mox_error err = {0};
    bool in = s->auth->step == MOX_SASL_SUCCESS;
    int rc = in ? mox__imap_auth_accept(s, &err) : MOX_OK;
    if (rc < 0)
        log_line(&s->env, MOX_LOG_ERROR, "imapserver", "no greeting of a user", err.text,
                 F_HEX("cid", s->peer.cid));
    in = in && rc == MOX_OK;
    mox__imap_auth_report(s, in ? (enum mox_sasl_failure)0 : MOX_SASL_FAILED_TEMPORARY);
    mox__imap_auth_close(s);
    return in;
}

void mox__imap_greet(struct mox_imap_server *s)
{
    if (s->auth != NULL && !mox__imap_auth_go_on(s))
        return;
    bool in = s->auth != NULL && let_in(s);
    s->reader = READ_COMMAND;
    mox__imap_put(s, in ? "* PREAUTH [" : "* OK [");
    mox__imap_put_capabilities(s, &s->out);
    mox__imap_put(s, "] ");
    mox__imap_put(s, s->hostname);
    mox__imap_put(s, " imap\r\n");
    mox__imap_trace_output(s);
}

int mox__imap_start(struct mox_imap_server *s)
{
    if ((mox__imap_auth_offered(s) & MOX_SASL_EXTERNAL) != 0) {
        if (!mox__imap_auth_begin(s, MOX_SASL_EXTERNAL))
            return MOX_ENOMEM;
        s->auth->by_certificate = true;
        s->reader = READ_GREETING;
        mox__imap_auth_respond(s, slice("", 0));
    }
    mox__imap_greet(s);
    return s->out.failed ? MOX_ENOMEM : MOX_OK;
}
