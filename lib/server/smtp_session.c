/* SPDX-License-Identifier: MIT */
#include "server/smtp_session.h"

#include <string.h>

#include <mox/delivery.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/metrics.h"
#include "server/smtp_submit.h"

#define PKG "smtpserver"

/* -- answers --------------------------------------------------------------------------------- */

static void free_session(struct smtp_session *ss)
{
    struct conn *c = ss->conn;
    struct mox_env *env = &ss->server->env;
    mox_smtp_server_free(ss->engine); /* ends the transaction, too */
    mox_submission_free(ss->submission);
    mox_spool_free(ss->spool);
    mox_dns_answers_free(ss->answers);
    mox__mem_free(env, ss->recipients);
    mox__mem_free(env, ss);
    mox__conn_release(c);
}

void mox__smtp_answer_pending(struct smtp_session *ss, int status,
                              const struct mox_smtp_reply *reply)
{
    ss->pending = false;
    if (ss->closed) {
        free_session(ss);
        return;
    }
    int rc = mox_smtp_server_reply(ss->engine, status, reply);
    mox__conn_go_on(ss->conn, rc);
}

static int later(struct smtp_session *ss)
{
    ss->pending = true;
    return MOX_LATER;
}

/* -- recipients that fail as asked for ------------------------------------------------------- */

/* What a special address of a test server asks for: MOX_OK if it is none. */
static int special(struct smtp_session *ss, const char *localpart, enum mox_special_stage stage,
                   struct mox_smtp_reply *reply)
{
    struct mox_special what;
    if (!ss->server->config.localserve || !mox_special_localpart(localpart, stage, &what))
        return MOX_OK;
    mox_smtp_reply_set(reply, what.code, what.enhanced, "failing as the address asks for");
    log_line(mox__conn_env(ss->conn), MOX_LOG_INFO, PKG, "failing as the address asks for", NULL,
             F_TEXT("localpart", localpart), F_INT("code", what.code));
    return mox__smtp_refuse_late(ss, reply, what.delay_us);
}

/* -- callbacks of the engine ----------------------------------------------------------------- */

static void login_done(struct login *l)
{
    struct smtp_session *ss = container_of(l->client, struct smtp_session, login);
    if (l->account != NULL) {
        ss->user = l->config;
        mox__account_keep(ss->server, l->config, l->account);
    }
    ss->pending = false;
    if (ss->closed) {
        free_session(ss);
        return;
    }
    int rc = mox_smtp_server_auth(ss->engine, l->status, &l->answer);
    mox__conn_go_on(ss->conn, rc);
}

static int on_auth(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    struct smtp_session *ss = user;
    (void)a; /* comes later */
    if (!mox__limits_may_log_in(ss->endpoint, mox_smtp_server_peer(ss->engine)->remote_ip))
        return MOX_ETOOMANY;
    mox__login_identify(&ss->login, mox_smtp_server_peer(ss->engine));
    int rc = mox__login_start(&ss->login, q);
    return rc == MOX_LATER ? later(ss) : rc;
}

static void on_auth_ended(void *user, const struct mox_sasl_attempt *attempt)
{
    struct smtp_session *ss = user;
    if (attempt->failure == 0)
        mox__conn_set_user(ss->conn, attempt->username);
    (void)mox__auth_ended(ss->server, ss->endpoint, mox_smtp_server_peer(ss->engine), attempt,
                          NULL);
}

static int on_hello(void *user, const struct mox_smtp_envelope *envelope,
                    struct mox_smtp_reply *reply)
{
    struct smtp_session *ss = user;
    mox_dns_answers_free(ss->answers); /* about the host of an earlier HELO */
    ss->answers = NULL;
    /* EHLO is said by whoever is behind a NAT, too, with names that nobody outside knows. */
    return envelope->esmtp ? MOX_OK : mox__smtp_check_host(ss, envelope->hello, reply);
}

static int on_mail(void *user, const struct mox_smtp_envelope *envelope,
                   struct mox_smtp_reply *reply)
{
    struct smtp_session *ss = user;
    const struct mox_smtp_path *from = &envelope->mail_from;
    int rc = special(ss, from->localpart, MOX_SPECIAL_MAIL, reply);
    if (rc != MOX_OK)
        return rc;
    if (from->address[0] == '\0')
        return MOX_OK;
    if (ss->endpoint->kind == SERVE_SMTP)
        return mox__smtp_check_sender(ss, from->domain, reply);
    return mox__submission_sender(ss, slice_of(from->localpart), from->domain, reply);
}

static int on_rcpt(void *user, const struct mox_smtp_envelope *envelope,
                   const struct mox_smtp_path *path, struct mox_smtp_reply *reply)
{
    struct smtp_session *ss = user;
    int rc = special(ss, path->localpart, MOX_SPECIAL_RCPT, reply);
    return rc != MOX_OK ? rc : mox__smtp_rcpt(ss, envelope, path, reply);
}

/* Logs that a message could not be kept until its end: one line, for the engine stops then.
 * A message over the limit is its sender's business. */
static int log_spool(const struct smtp_session *ss, int rc)
{
    if (rc >= 0 || rc == MOX_ELIMIT)
        return rc;
    struct mox_error error;
    (void)mox__fail(&error, rc, "write %s: %s%s", ss->server->spool_dir, mox_status_text(rc),
                    rc == MOX_ENOSPACE ? "; make room on that disk" : "");
    log_line(mox__conn_env(ss->conn), MOX_LOG_ERROR, PKG, "message not delivered", error.text,
             F_HEX("cid", ss->cid));
    return rc;
}

static int on_data_begin(void *user, const struct mox_smtp_envelope *envelope,
                         struct mox_smtp_reply *reply)
{
    (void)envelope;
    struct smtp_session *ss = user;
    int rc = mox_spool_new(&ss->spool, &ss->server->env, ss->server->spool_dir,
                           (uint64_t)ss->endpoint->listener->smtp_max_message_size);
    if (rc == MOX_OK && ss->endpoint->kind != SERVE_SMTP)
        rc = mox_submission_new(&ss->submission, &ss->server->env, ss->spool);
    if (log_spool(ss, rc) < 0)
        mox_smtp_reply_set(reply, 451, "4.3.0", "cannot take a message now; try again later");
    return rc;
}

static bool keeping_waits(const struct smtp_session *ss, size_t len)
{
    return ss->submission != NULL ? mox_submission_write_waits(ss->submission, len)
                                  : mox_spool_write_waits(ss->spool, len);
}

static int keep(struct smtp_session *ss, struct mox_slice piece)
{
    return ss->submission != NULL ? mox_submission_write(ss->submission, piece)
                                  : mox_spool_write(ss->spool, piece);
}

static void write_piece(struct work *w)
{
    struct smtp_session *ss = container_of(w, struct smtp_session, work);
    ss->piece_rc = keep(ss, ss->piece);
}

static void piece_written(struct work *w)
{
    struct smtp_session *ss = container_of(w, struct smtp_session, work);
    mox__smtp_answer_pending(ss, log_spool(ss, ss->piece_rc), NULL);
}

static int on_data(void *user, struct mox_slice piece, struct mox_smtp_reply *reply)
{
    (void)reply;
    struct smtp_session *ss = user;
    if (ss->nobody)
        return MOX_OK;
    if (!keeping_waits(ss, piece.len))
        return log_spool(ss, keep(ss, piece));
    ss->piece = piece;
    ss->work.run = write_piece;
    ss->work.done = piece_written;
    int rc = mox__pool_submit(ss->server->net->workers, &ss->work);
    return rc == MOX_OK ? later(ss) : log_spool(ss, rc);
}

static int on_deliver(void *user, const struct mox_smtp_envelope *envelope,
                      struct mox_smtp_reply *reply)
{
    struct smtp_session *ss = user;
    enum mox_special_stage stage =
        ss->endpoint->kind == SERVE_SMTP ? MOX_SPECIAL_DELIVERY : MOX_SPECIAL_SUBMISSION;
    int rc = MOX_OK;
    for (size_t i = 0; rc == MOX_OK && i < envelope->recipient_count; i++)
        rc = special(ss, envelope->recipients[i].localpart, stage, reply);
    if (rc != MOX_OK && ss->submission != NULL)
        mox__submission_ended(ss, MOX_SUBMISSION_LOCALSERVE, reply);
    if (rc != MOX_OK)
        return rc;
    if (ss->nobody)
        return mox__smtp_nobody(ss, envelope, reply);
    return mox__smtp_deliver(ss, envelope, reply);
}

static void on_reset(void *user)
{
    struct smtp_session *ss = user;
    mox_submission_free(ss->submission);
    mox_spool_free(ss->spool);
    ss->submission = NULL;
    ss->spool = NULL;
    mox_dns_answers_free(ss->answers);
    ss->answers = NULL;
    ss->vouched = false;
    ss->recipient_count = 0;
    ss->nobody = false;
}

static const struct mox_smtp_server_callbacks callbacks = {
    .size = sizeof callbacks,
    .auth = on_auth,
    .hello = on_hello,
    .mail = on_mail,
    .rcpt = on_rcpt,
    .data_begin = on_data_begin,
    .data = on_data,
    .deliver = on_deliver,
    .reset = on_reset,
    .auth_ended = on_auth_ended,
};

/* -- service --------------------------------------------------------------------------------- */

static void configure(struct mox_smtp_server_config *config, const struct service_endpoint *e)
{
    const struct mox_config_listener *l = e->listener;
    bool relaxed = e->kind == SERVE_SUBMISSION && l->submission.no_require_starttls;
    mox_smtp_server_config_init(config);
    config->mode = e->kind == SERVE_SMTP ? MOX_SMTP_DELIVERY : MOX_SMTP_SUBMISSION;
    config->hostname = e->hostname;
    config->max_message_bytes = (uint64_t)l->smtp_max_message_size;
    config->starttls = e->endpoint.tls != NULL && !e->endpoint.implicit_tls;
    config->tls_required = e->kind == SERVE_SMTP ? l->smtp.require_starttls : !relaxed;
    config->auth_without_tls = relaxed;
    config->login_delay_us = e->server->delays.auth_failure_us;
    config->pedantic = e->server->pedantic;
    config->multiple_bounce_recipients = e->server->config.localserve;
    memcpy(config->received_id_key, e->server->received_id_key, sizeof config->received_id_key);
    config->mechanisms = mox__login_mechanisms(e->server);
    memcpy(config->sasl_secret, e->server->sasl_secret, sizeof config->sasl_secret);
}

static int open_session(void *user, struct conn *c, const struct mox_peer *peer,
                        struct mox_engine *engine, void **session)
{
    const struct service_endpoint *e = user;
    struct mox_server *s = e->server;
    struct smtp_session *ss = mem_new(&s->env, struct smtp_session, 1);
    if (ss == NULL)
        return MOX_ENOMEM;
    ss->server = s;
    ss->endpoint = e;
    ss->conn = c;
    ss->cid = peer->cid;
    ss->opened_us = mox__loop_now(s->net->loop);
    ss->login =
        (struct login_client){.server = s, .env = mox__conn_env(c), .pkg = PKG, .done = login_done};
    mox__nap_init(&ss->nap, s);
    mox__log_connection(c, e, peer);
    struct mox_smtp_server_config config;
    configure(&config, e);
    int rc = mox_smtp_server_new(&ss->engine, mox__conn_env(c), &config, peer, &callbacks, ss);
    if (rc < 0) {
        mox__mem_free(&s->env, ss);
        return rc;
    }
    mox__count_opened(s, e);
    *engine = mox_smtp_server_engine(ss->engine);
    *session = ss;
    return MOX_OK;
}

static void session_closed(void *session)
{
    struct smtp_session *ss = session;
    atomic_store(&ss->login.gone, true);
    log_line(mox__conn_env(ss->conn), MOX_LOG_DEBUG, PKG, "connection closed", NULL,
             F_DURATION("duration", mox__loop_now(ss->server->net->loop) - ss->opened_us));
    mox__count_closed(ss->server, ss->endpoint);
    ss->closed = true;
    if (!ss->pending)
        free_session(ss);
    else if (mox__nap_lasts(&ss->nap))
        mox__nap_end(&ss->nap);
}

/* Nobody waits for an answer that is late on purpose any more. */
static void session_gone(void *session)
{
    struct smtp_session *ss = session;
    ss->left = true;
    if (mox__nap_lasts(&ss->nap))
        mox__nap_end_soon(&ss->nap);
}

static void starttls_failed(void *user, const char *word)
{
    const struct service_endpoint *e = user;
    mox__count_starttls_error(e->server, e, word);
}

const struct service mox__smtp_service = {
    .open = open_session,
    .closed = session_closed,
    .gone = session_gone,
    .starttls_failed = starttls_failed,
    .admit = mox__limits_admit,
    .left = mox__limits_left,
    .key_refused = mox__client_key_refused,
};
