/* SPDX-License-Identifier: MIT */
#include "base/metric.h"
#include "smtp/server.h"

/* STARTTLS (RFC 3207). What the client has sent behind the line stays in the input and goes to the
 * handshake: mox_smtp_server_tls_rest(). */

static const struct mox_metric deliveries_with_tls = {
    .name = "mox_smtpserver_delivery_starttls_total",
    .help = "STARTTLS on incoming connections for delivery, however the handshake ends.",
};

void mox__smtp_cmd_starttls(struct mox_smtp_server *s, struct mox_slice args)
{
    if (!mox__smtp_at_end(s, args)) {
        mox__smtp_bad_syntax(s, args, "STARTTLS has no arguments");
    } else if (s->envelope.tls) {
        mox__smtp_reply(s, 503, "5.5.1", "TLS is active already");
    } else if (!s->config.starttls) {
        mox__smtp_reply(s, 503, "5.5.1", "TLS is not available here");
    } else if (s->username != NULL) {
        mox__smtp_reply(s, 503, "5.5.1", "STARTTLS must come before AUTH");
    } else {
        mox__smtp_end_transaction(s);
        mox__smtp_reply(s, 220, "2.0.0", "go ahead (%s)", s->received_id);
        s->starting_tls = true;
        if (s->config.mode == MOX_SMTP_DELIVERY)
            metric_count(&s->env, &deliveries_with_tls, NULL);
    }
}
