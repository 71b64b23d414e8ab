/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/mem.h"
#include "server/server.h"

struct ctl_session {
    struct mox_server *server;
    struct conn *conn;
    struct mox_ctl *engine;
};

static int open_session(void *user, struct conn *c, const struct mox_peer *peer,
                        struct mox_engine *engine, void **session)
{
    struct mox_server *s = user;
    struct ctl_session *cs = mem_new(&s->env, struct ctl_session, 1);
    if (cs == NULL)
        return MOX_ENOMEM;
    cs->server = s;
    cs->conn = c;
    int rc = mox_ctl_new(&cs->engine, mox__conn_env(c), &s->ctl_handlers, s);
    if (rc < 0) {
        mox__mem_free(&s->env, cs);
        return rc;
    }
    log_line(mox__conn_env(c), MOX_LOG_DEBUG, "ctl", "new connection", NULL,
             F_HEX("cid", peer->cid));
    *engine = mox_ctl_engine(cs->engine);
    *session = cs;
    return MOX_OK;
}

static void session_closed(void *session)
{
    struct ctl_session *cs = session;
    struct conn *c = cs->conn;
    mox_ctl_free(cs->engine);
    mox__mem_free(&cs->server->env, cs);
    mox__conn_release(c);
}

static bool session_lasts(void *session)
{
    return mox_ctl_is_stopping(((struct ctl_session *)session)->engine);
}

const struct service mox__ctl_service = {
    .open = open_session, .closed = session_closed, .lasts = session_lasts};
