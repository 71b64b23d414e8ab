/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SMTP_SESSION_H
#define SERVER_SMTP_SESSION_H

#include <mox/dns_answers.h>
#include <mox/smtp_server.h>
#include <mox/submission.h>

#include "server/login.h"
#include "server/nap.h"
#include "server/smtp_names.h"

/* The host's side of one SMTP connection. At most one answer is pending, and while one is, the
 * engine and the session stay, even when the connection has gone. */
struct smtp_session {
    struct mox_server *server;
    const struct service_endpoint *endpoint;
    struct conn *conn;
    struct mox_smtp_server *engine;
    uint64_t cid;
    int64_t opened_us;
    bool pending;
    bool left;   /* the client waits for nothing more */
    bool closed; /* the connection is gone */

    struct login_client login;
    const struct mox_config_account *user; /* who logged in, or NULL */

    /* smtp_delay.c: what waits, and for what. */
    struct nap nap;
    struct mox_smtp_reply late_reply;
    struct handover *handover; /* the message that is on its way to the store; or NULL */
    struct smtp_names *names;  /* smtp_names.c: what waits for the DNS; `nap` is its patience */

    /* The transaction: */
    struct mox_config_target *recipients; /* in the order of the envelope's */
    size_t recipient_count, recipient_cap;
    struct mox_dns_answers *answers; /* about its sender; NULL: none yet */
    bool vouched;                    /* SPF has passed for its sender */
    bool nobody; /* its recipient does not exist, and the client is told at the end */
    struct mox_spool *spool;
    struct mox_submission *submission; /* what goes to the spool goes through it; or NULL */
    struct work work;                  /* a piece that goes to the disk */
    struct mox_slice piece;
    int piece_rc;
};

static inline bool client_has_left(const struct smtp_session *ss)
{
    return ss->left || ss->closed;
}

/* The answer to what is pending; *reply may be NULL for the prepared one. Frees a session whose
 * connection is gone. */
void mox__smtp_answer_pending(struct smtp_session *ss, int status,
                              const struct mox_smtp_reply *reply);
/* smtp_sender.c: refuses a domain of MAIL FROM that takes no mail, and a host of HELO that does not exist:
 * MOX_OK, MOX_LATER with `pending` set, or a failure. */
MOX_MUST_USE int mox__smtp_check_sender(struct smtp_session *ss, const char *domain,
                                        struct mox_smtp_reply *reply);
MOX_MUST_USE int mox__smtp_check_host(struct smtp_session *ss, const char *name,
                                      struct mox_smtp_reply *reply);
/* smtp_rcpt.c: takes a recipient, or refuses it; MOX_LATER, with `pending` set. */
MOX_MUST_USE int mox__smtp_rcpt(struct smtp_session *ss, const struct mox_smtp_envelope *envelope,
                                const struct mox_smtp_path *path, struct mox_smtp_reply *reply);
/* Refuses the message, whose recipient does not exist: MOX_LATER, with `pending` set, or a failure. */
MOX_MUST_USE int mox__smtp_nobody(struct smtp_session *ss, const struct mox_smtp_envelope *envelope,
                                  struct mox_smtp_reply *reply);
/* smtp_deliver.c: brings the message to its recipients. MOX_LATER with `pending` set, or a failure at once. */
MOX_MUST_USE int mox__smtp_deliver(struct smtp_session *ss,
                                   const struct mox_smtp_envelope *envelope,
                                   struct mox_smtp_reply *reply);
/* smtp_delay.c: refuses what the engine asks for with *reply, after a while: MOX_LATER, with `pending` set, or
 * MOX_EREFUSED when it is time already. */
MOX_MUST_USE int mox__smtp_refuse_late(struct smtp_session *ss, const struct mox_smtp_reply *reply,
                                       int64_t delay_us);

/* delivery_limits.c: whether one message more, of so many bytes, is within the limits of its sender's
 * address, in an account that has those stored. MOX_ELIMIT with the reply. */
MOX_MUST_USE int mox__delivery_limits(const struct mox_config_limits *limits,
                                      const struct mox_arrivals *stored, uint64_t bytes,
                                      struct mox_smtp_reply *reply);

#endif
