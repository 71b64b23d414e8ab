/* SPDX-License-Identifier: MIT */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "base/metric.h"
#include "server/server.h"

/* What the server counts besides what its engines count. Names are Prometheus': dashboards and alerts
 * are written with them, so they stay. */

/* Gives the server's env somebody who counts, before it is handed to anything. */
MOX_MUST_USE int mox__metrics_open(struct mox_server *s);
void mox__metrics_close(struct mox_server *s);

/* A session of this service begins, or ends. */
void mox__count_opened(struct mox_server *s, const struct service_endpoint *e);
void mox__count_closed(struct mox_server *s, const struct service_endpoint *e);

/* An incoming message for one recipient: "delivered", or "reject", "unknownuser", "accounterror",
 * "delivererror", "checkrates", "highrate", and the word for why. */
void mox__count_delivery(struct mox_server *s, const char *result, const char *reason);
/* A message of a user: "ok", or "badmessage", "badfrom", "badheader", "messagelimiterror",
 * "recipientlimiterror", "missingsmtputf8", "queueerror", "localserveerror". */
void mox__count_submission(struct mox_server *s, const char *result);
/* STARTTLS of this service failed; `word` is a constant. */
void mox__count_starttls_error(struct mox_server *s, const struct service_endpoint *e,
                               const char *word);
/* An attempt to log in has ended. */
void mox__count_login(struct mox_server *s, const struct service_endpoint *e,
                      const struct mox_sasl_attempt *attempt);
/* A connection of this service is not let in; it does not begin. `limit` is a constant. */
void mox__count_refused(struct mox_server *s, const struct service_endpoint *e, const char *limit);
/* Too many logins have failed for a connection, or for one more attempt. */
void mox__count_ratelimited(struct mox_server *s, const struct service_endpoint *e);

/* process_metrics.c: memory, processor, descriptors and start of this process, in each writing. */
MOX_MUST_USE int mox__process_metrics(struct mox_server *s);

#endif
