/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/imap_server.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/login.h"
#include "server/metrics.h"

#define PKG "imapserver"

/* The host's side of one IMAP connection. */
struct imap_session {
    struct mox_server *server;
    const struct service_endpoint *endpoint;
    struct conn *conn;
    struct mox_imap_server *engine;
    uint64_t cid;
    int64_t opened_us;
    struct login_client login;
    uint64_t login_number; /* of the last attempt, in the record of them */
    char user_agent[256];  /* what the client calls itself; empty: it has not said */
    bool pending; /* a login is being checked: the engine and this stay */
    bool closed;  /* the connection is gone */
    struct work end;
};

static struct imap_session *session_of(struct work *w)
{
    return container_of(w, struct imap_session, end);
}

static void free_engine(struct work *w)
{
    mox_imap_server_free(session_of(w)->engine);
}

static void forget(struct work *w)
{
    struct imap_session *is = session_of(w);
    struct conn *c = is->conn;
    mox__mem_free(&is->server->env, is);
    mox__conn_release(c);
}

/* On a worker, for the engine waits for writes that are under way, and closing the account may wait
 * for the disk. */
static void end_session(struct imap_session *is)
{
    is->end.run = free_engine;
    is->end.done = forget;
    if (mox__pool_submit(is->server->net->workers, &is->end) == MOX_OK)
        return;
    free_engine(&is->end);
    forget(&is->end);
}

/* -- callbacks of the engine ----------------------------------------------------------------- */

static void login_done(struct login *l)
{
    struct imap_session *is = container_of(l->client, struct imap_session, login);
    is->pending = false;
    if (is->closed) {
        if (l->account != NULL) /* kept, since closing it may wait for the disk */
            mox__account_keep(is->server, l->config, l->account);
        end_session(is);
        return;
    }
    struct mox_mailstore store = {.ops = NULL};
    if (l->account != NULL)
        store = mox_account_mailstore(l->account); /* with our reference */
    int rc = mox_imap_server_auth(is->engine, l->status, &l->answer, &store);
    mox__conn_go_on(is->conn, rc);
}

static int on_auth(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                   struct mox_mailstore *store)
{
    struct imap_session *is = user;
    (void)a; /* comes later */
    (void)store;
    if (is->engine != NULL) { /* otherwise it greets now, and was just let in */
        const struct mox_peer *peer = mox_imap_server_peer(is->engine);
        if (!mox__limits_may_log_in(is->endpoint, peer->remote_ip))
            return MOX_ETOOMANY;
        mox__login_identify(&is->login, peer);
    }
    if (strcmp(q->mechanism, MOX_SASL_BY_CERTIFICATE) == 0 && is->login.shown.no_imap_preauth)
        return MOX_EDENIED;
    int rc = mox__login_start(&is->login, q);
    is->pending = rc == MOX_LATER;
    return rc;
}

static void on_auth_ended(void *user, const struct mox_sasl_attempt *attempt)
{
    struct imap_session *is = user;
    if (attempt->failure == 0)
        mox__conn_set_user(is->conn, attempt->username);
    is->login_number = mox__auth_ended(is->server, is->endpoint, mox_imap_server_peer(is->engine),
                                       attempt, is->user_agent);
}

/* Most clients say it once they are logged in. Perhaps on a worker: with the engine the thread owns
 * what its callbacks touch. */
static void on_client_id(void *user, const char *text)
{
    struct imap_session *is = user;
    bool first = is->user_agent[0] == '\0';
    (void)snprintf(is->user_agent, sizeof is->user_agent, "%s", text);
    if (first && is->login_number != 0)
        mox_auth_db_name_client(is->server->auth_db, is->login_number, is->user_agent);
}

static void on_wake(void *user)
{
    struct imap_session *is = user;
    mox__conn_wake(is->conn);
}

static const struct mox_imap_server_callbacks callbacks = {
    .size = sizeof callbacks,
    .auth = on_auth,
    .wake = on_wake,
    .auth_ended = on_auth_ended,
    .client_id = on_client_id,
};

/* -- service --------------------------------------------------------------------------------- */

static void configure(struct mox_imap_server_config *config, const struct service_endpoint *e)
{
    mox_imap_server_config_init(config);
    config->hostname = e->hostname;
    config->starttls = e->endpoint.tls != NULL && !e->endpoint.implicit_tls;
    config->auth_without_tls = e->kind == SERVE_IMAP && e->listener->imap.no_require_starttls;
    config->login_delay_us = e->server->delays.auth_failure_us;
    config->pedantic = e->server->pedantic;
    config->mechanisms = mox__login_mechanisms(e->server);
    memcpy(config->sasl_secret, e->server->sasl_secret, sizeof config->sasl_secret);
}

static int open_session(void *user, struct conn *c, const struct mox_peer *peer,
                        struct mox_engine *engine, void **session)
{
    const struct service_endpoint *e = user;
    struct mox_server *s = e->server;
    struct imap_session *is = mem_new(&s->env, struct imap_session, 1);
    if (is == NULL)
        return MOX_ENOMEM;
    is->server = s;
    is->endpoint = e;
    is->conn = c;
    is->cid = peer->cid;
    is->opened_us = mox__loop_now(s->net->loop);
    is->login =
        (struct login_client){.server = s, .env = mox__conn_env(c), .pkg = PKG, .done = login_done};
    mox__login_identify(&is->login, peer);
    mox__log_connection(c, e, peer);
    struct mox_imap_server_config config;
    configure(&config, e);
    int rc = mox_imap_server_new(&is->engine, mox__conn_env(c), &config, peer, &callbacks, is);
    if (rc < 0) {
        mox__mem_free(&s->env, is);
        return rc;
    }
    mox__count_opened(s, e);
    *engine = mox_imap_server_engine(is->engine);
    *session = is;
    return MOX_OK;
}

static void session_closed(void *session)
{
    struct imap_session *is = session;
    atomic_store(&is->login.gone, true);
    log_line(mox__conn_env(is->conn), MOX_LOG_DEBUG, PKG, "connection closed", NULL,
             F_DURATION("duration", mox__loop_now(is->server->net->loop) - is->opened_us));
    mox__count_closed(is->server, is->endpoint);
    is->closed = true;
    mox_imap_server_eof(is->engine); /* an attempt to log in ends here, not on a worker */
    if (!is->pending)
        end_session(is);
}

const struct service mox__imap_service = {
    .open = open_session,
    .closed = session_closed,
    .admit = mox__limits_admit,
    .left = mox__limits_left,
    .key_refused = mox__client_key_refused,
};
