/* SPDX-License-Identifier: MIT */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include <mox/config.h>
#include <mox/ratelimit.h>
#include <mox/sasl.h>

/* What an address and its networks may do to this server: connect, keep connections open, and fail to
 * log in. SMTP and submission are one family, IMAP is another; failed logins count for all. */

enum limit_family { LIMIT_SMTP, LIMIT_IMAP, LIMIT_FAMILIES };

/* Why a connection is refused. */
enum refusal { REFUSAL_NONE, REFUSAL_RATE, REFUSAL_LOGINS, REFUSAL_OPEN, REFUSALS };

struct limits {
    /* NULL: no limit. */
    struct mox_ratelimit *rate[LIMIT_FAMILIES], *open[LIMIT_FAMILIES];
    struct mox_ratelimit *failed_logins;
    int64_t clock_us; /* wall clock minus monotonic clock at the start */
    /* A flood is one line a second in the log. */
    int64_t log_again_us;
    uint64_t unlogged;
};

struct mox_server;
struct service_endpoint;

MOX_MUST_USE int mox__limits_init(struct mox_server *s, size_t max_connections);
void mox__limits_free(struct mox_server *s);

/* The `admit` and `left` of services (net/conn.h); `user` is the service_endpoint. */
bool mox__limits_admit(void *user, const char *remote_ip, struct mox_slice *words);
void mox__limits_left(void *user, const char *remote_ip);

/* Whether somebody at this address may still try to log in, on a connection that is open: cheap, for it
 * is asked before a password is looked at. */
bool mox__limits_may_log_in(const struct service_endpoint *e, const char *remote_ip);
/* A failure counts, a success clears the address. */
void mox__limits_auth_ended(struct mox_server *s, const char *remote_ip,
                            const struct mox_sasl_attempt *attempt);

#endif
