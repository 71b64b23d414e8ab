/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <mox/unbound.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/dnsbl_monitor.h"
#include "server/metrics.h"
#include "server/localserve.h"
#include "server/nap.h"
#include "server/smtp_dnsbl.h"

/* One thread hashes: a login storm takes one core, and the mail goes on. */
#define HASHING_THREADS 1
/* With 100 ms for each, the last of so many has waited for as long as a client does. */
#define HASHING_WAITING_MAX 200
/* A sender that waits half a minute for a reply gives up and tries again: with 5 s to spare. */
#define SLOW_REPLY_US INT64_C(25000000)
/* How long sessions have to finish when the server stops (spec: 3 s). */
#define PATIENCE_US INT64_C(3000000)

void mox_server_config_init(struct mox_server_config *config)
{
    *config = (struct mox_server_config){
        .size = sizeof *config,
        .workers = 3,
        .max_connections = 10000,
        .limits = true,
        .check_senders = true,
    };
}

/* -- making it ------------------------------------------------------------------------------- */

static void ctl_stop(void *user)
{
    mox_server_stop(user);
}

static int ctl_set_password(void *user, const char *address, const char *password,
                            struct mox_error *err)
{
    return mox__server_set_password(user, address, password, err);
}

static int ctl_add_key(void *user, const char *address, const char *name, bool no_imap_preauth,
                       struct mox_slice certificate, struct mox_client_key *added,
                       struct mox_error *err)
{
    return mox__client_key_add(user, address, name, no_imap_preauth, certificate, added, err);
}

static const char *ctl_filtered_account(void *user, size_t n)
{
    const struct mox_server *s = user;
    for (size_t i = 0; i < s->account_count; i++)
        if (s->accounts[i].config->junk_filter != NULL && n-- == 0)
            return s->accounts[i].config->name;
    return NULL;
}

static int ctl_open_account(void *user, const char *name, struct mox_account **out,
                            struct mox_error *err)
{
    return mox__account_open(user, name, out, err);
}

static void ctl_close_account(void *user, struct mox_account *account)
{
    (void)user;
    mox_account_close(account);
}

static int open_ctl(struct mox_server *s, struct mox_error *err)
{
    s->ctl_handlers = (struct mox_ctl_handlers){
        .size = sizeof s->ctl_handlers,
        .stop = ctl_stop,
        .set_account_password = ctl_set_password,
        .logger = s->config.logger,
        .metrics = s->metrics,
        .auth_db = s->auth_db,
        .add_client_key = ctl_add_key,
        .filtered_account = ctl_filtered_account,
        .open_account = ctl_open_account,
        .close_account = ctl_close_account,
        .explain = mox__server_explain,
        .check = mox__server_check,
    };
    s->ctl_endpoint = (struct endpoint){
        .service = &mox__ctl_service,
        .user = s,
        .pkg = "ctl",
        .apart = true, /* a crowd at the ports must not keep out who wants to stop the server */
    };
    int fd = -1;
    int rc = mox_ctl_listen(&fd, s->files->data_dir, err);
    if (rc < 0)
        return rc;
    rc = mox__listener_adopt(&s->ctl, s->net, fd, &s->ctl_endpoint);
    if (rc < 0) {
        mox_ctl_unlink(s->files->data_dir);
        return mox__fail(err, rc, "open the control socket: out of memory");
    }
    return MOX_OK;
}

/* Of the key that is there for ever, since users that do not exist must always get the same salts. */
static void derive_sasl_secret(struct mox_server *s)
{
    mox__hmac(HASH_SHA256, slice(s->received_id_key, sizeof s->received_id_key),
              slice_of("salts of users that do not exist"), s->sasl_secret);
}

static int make_spool_dir(struct mox_server *s, struct mox_error *err)
{
    char path[4100];
    int len = snprintf(path, sizeof path, "%s/tmp", s->files->data_dir);
    if (len < 0 || (size_t)len >= sizeof path)
        return mox__fail(err, MOX_ELIMIT, "open %s: the path is too long", s->files->data_dir);
    if (mkdir(path, 0770) != 0 && errno != EEXIST)
        return mox__fail(err, mox__status_of_errno(errno), "create %s: %s", path, strerror(errno));
    s->spool_dir = mox__strndup(&s->env, path, (size_t)len);
    return s->spool_dir != NULL ? MOX_OK : mox__fail(err, MOX_ENOMEM, "out of memory");
}

/* Databases and message files need descriptors too. */
static size_t max_connections(const struct mox_server *s)
{
    struct rlimit files;
    size_t max = s->config.max_connections;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
        return max;
    size_t room = (size_t)(files.rlim_cur - files.rlim_cur / 4);
    return max < room ? max : room;
}

static int make_runtime(struct mox_server *s, struct mox_error *err)
{
    struct net_config net = {.ev = s->config.loop,
                             .workers = s->config.workers,
                             .max_conns = max_connections(s),
                             .slow_step_us = s->delays.bad_client_us,
                             .slow_reply_us = SLOW_REPLY_US};
    int rc = mox__net_new(&s->net, &s->env, &net);
    if (rc == MOX_OK)
        rc = mox__pool_new(&s->hashing, &s->env, s->net->loop, "mox-hash", HASHING_THREADS,
                           HASHING_WAITING_MAX);
    if (rc == MOX_OK)
        rc = mox__limits_init(s, net.max_conns);
    if (rc == MOX_OK)
        rc = mox__accounts_init(s);
    if (rc == MOX_OK)
        rc = mox__dnsbl_init(s);
    if (rc == MOX_OK)
        rc = mox__dnsbl_monitor_init(s);
    return rc == MOX_OK ? rc : mox__fail(err, rc, "start the server: %s", mox_status_text(rc));
}

/* Who answers names. A server for tests stays on its machine unless it is told to ask. */
static int open_resolver(struct mox_server *s, struct mox_error *err)
{
    const struct mox_config_resolver *files = &s->files->mox->resolver;
    char anchor[4096];
    struct mox_unbound_config config;
    mox_unbound_config_init(&config);
    config.forward = s->config.resolver_forward;
    config.trust_anchor = s->config.trust_anchor;
    if (config.forward == NULL && files->forward[0] != '\0')
        config.forward = files->forward;
    if (config.trust_anchor == NULL && files->trust_anchor[0] != '\0') {
        int rc = mox_config_path(s->files, files->trust_anchor, anchor, sizeof anchor);
        if (rc < 0)
            return mox__fail(err, rc, "trust anchor %s: the path is too long", files->trust_anchor);
        config.trust_anchor = anchor;
    }
    if (s->config.localserve && config.forward == NULL)
        return mox__zone_resolver_init(&s->built_in, &s->env, mox__localserve_zone, err);
    return mox_unbound_new(&s->unbound, &s->env, mox__loop_ev(s->net->loop), &config, err);
}

static void out_of_patience(struct timer *t);

/* The order matters: the lock on the data directory comes before the first port and before the old
 * control socket is removed, so that a second server changes nothing. */
static int open_all(struct mox_server *s, struct mox_error *err)
{
    int rc = mox__metrics_open(s); /* everything else gets the env that counts */
    if (rc < 0)
        return mox__fail(err, rc, "start the server: %s", mox_status_text(rc));
    rc = make_runtime(s, err);
    if (rc < 0)
        return rc;
    mox__timer_init(&s->patience, s->net->loop, out_of_patience);
    rc = mox_store_open(&s->store, &s->env, s->files->data_dir, err);
    if (rc == MOX_OK)
        rc = mox__auth_db_start(s, err);
    if (rc == MOX_OK)
        rc = mox__received_id_key(&s->env, s->files->data_dir, s->received_id_key, err);
    if (rc == MOX_OK) {
        derive_sasl_secret(s);
        rc = make_spool_dir(s, err);
    }
    /* A developer looks at the terminal now. A server of many users starts for the others. */
    if (rc == MOX_OK && s->config.localserve)
        rc = mox__accounts_check(s, err);
    if (rc == MOX_OK && s->config.resolver == NULL)
        rc = open_resolver(s, err);
    if (rc == MOX_OK)
        rc = mox__server_bind(s, err);
    if (rc == MOX_OK && s->config.logger != NULL)
        rc = open_ctl(s, err);
    return rc;
}

int mox_server_new(struct mox_server **out, const struct mox_env *env,
                   const struct mox_server_config *config, struct mox_error *err)
{
    *out = NULL;
    struct mox_server *s = mem_new(env, struct mox_server, 1);
    if (s == NULL)
        return mox__fail(err, MOX_ENOMEM, "start the server: out of memory");
    s->env = *env;
    mox_server_config_init(&s->config);
    memcpy(&s->config, config, config->size < sizeof s->config ? config->size : sizeof s->config);
    s->files = config->config;
    if (s->config.limits)
        s->delays = s->files->mox->delays;
    s->pedantic = s->config.pedantic || s->files->mox->pedantic;
    atomic_init(&s->stop_posted, false);
    int rc = open_all(s, err);
    if (rc < 0) {
        mox_server_free(s);
        return rc;
    }
    *out = s;
    return MOX_OK;
}

static void close_ctl(struct mox_server *s)
{
    if (s->ctl == NULL)
        return;
    mox__listener_close(s->ctl);
    mox_ctl_unlink(s->files->data_dir);
    s->ctl = NULL;
}

void mox_server_free(struct mox_server *s)
{
    if (s == NULL)
        return;
    close_ctl(s);
    mox__server_unbind(s);
    if (s->net != NULL)
        mox__net_join_workers(s->net);
    mox__pool_free(s->hashing);
    mox__accounts_free(s);
    mox__dnsbl_monitor_free(s);
    mox__dnsbl_free(s);
    mox_auth_db_close(s->auth_db);
    mox_store_close(s->store);
    if (s->patience.loop != NULL)
        mox__timer_stop(&s->patience);
    mox_unbound_free(s->unbound);
    mox__net_free(s->net); /* its connections leave */
    mox__zone_resolver_done(&s->built_in);
    mox__limits_free(s);
    mox__metrics_close(s);
    struct mox_env env = s->env;
    mox__mem_free(&env, s->spool_dir);
    mox__mem_free(&env, s);
}

const struct mox_resolver *mox__server_resolver(const struct mox_server *s)
{
    if (s->config.resolver != NULL)
        return s->config.resolver;
    return s->unbound != NULL ? mox_unbound_resolver(s->unbound) : &s->built_in.resolver;
}

/* -- running it ------------------------------------------------------------------------------ */

void mox_server_start(struct mox_server *s)
{
    for (size_t i = 0; i < s->bound_count; i++)
        mox__listener_start(s->bound[i].listener);
    if (s->ctl != NULL)
        mox__listener_start(s->ctl);
    mox__dnsbl_monitor_start(s);
    log_line(&s->env, MOX_LOG_INFO, "main", "ready", NULL, F_UINT("listeners", s->bound_count),
             F_TEXT("version", MOX_VERSION));
}

static void on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
    (void)ev;
    (void)events;
    struct mox_server *s = w->data;
    s->signal = w->signum;
    if (atomic_load(&s->stop_posted)) /* asked twice: no more patience */
        mox__timer_at(&s->patience, mox__loop_now(s->net->loop));
    mox_server_stop(s);
}

int mox_server_run(struct mox_server *s)
{
    struct ev_loop *ev = mox__loop_ev(s->net->loop);
    ev_signal interrupt, terminate;
    ev_signal_init(&interrupt, on_signal, SIGINT);
    ev_signal_init(&terminate, on_signal, SIGTERM);
    interrupt.data = s;
    terminate.data = s;
    ev_signal_start(ev, &interrupt);
    ev_signal_start(ev, &terminate);
    s->running = true;
    mox_server_start(s);
    mox__loop_run(s->net->loop);
    s->running = false;
    ev_signal_stop(ev, &interrupt);
    ev_signal_stop(ev, &terminate);
    return s->signal;
}

/* -- its end --------------------------------------------------------------------------------- */

static void finish(struct mox_server *s)
{
    if (s->stopped)
        return;
    s->stopped = true;
    mox__timer_stop(&s->patience);
    close_ctl(s);
    log_line(&s->env, MOX_LOG_INFO, "main", "stopped", NULL, F_INT("signal", s->signal));
    if (s->running)
        mox__loop_break(s->net->loop);
    else if (s->config.stopped != NULL)
        s->config.stopped(s->config.stopped_user);
}

/* All sessions are gone, but for those that wait on the control socket for just that: they see the
 * end when the server is freed, and the next one can start. */
static void drained(void *user)
{
    struct mox_server *s = user;
    mox__server_close_listeners(s);
    finish(s);
}

static void out_of_patience(struct timer *t)
{
    struct mox_server *s = container_of(t, struct mox_server, patience);
    log_line(&s->env, MOX_LOG_INFO, "main", "closing sessions that did not finish in time", NULL,
             F_UINT("connections", s->net->conn_count));
    mox__server_close_listeners(s);
    mox__net_abort(s->net);
}

/* Until the sessions are gone new ones are still greeted, with the news (spec §10). */
static void begin_stop(struct loop_task *t)
{
    struct mox_server *s = container_of(t, struct mox_server, stop_task);
    log_line(&s->env, MOX_LOG_INFO, "main", "shutting down", NULL,
             F_UINT("connections", s->net->conn_count), F_INT("signal", s->signal));
    mox__timer_at(&s->patience, mox__loop_now(s->net->loop) + PATIENCE_US);
    mox__net_stop(s->net, drained, s);
    mox__naps_end(s);
    mox__dnsbl_monitor_stop(s);
}

void mox_server_stop(struct mox_server *s)
{
    if (atomic_exchange(&s->stop_posted, true))
        return;
    s->stop_task.run = begin_stop;
    mox__loop_post(s->net->loop, &s->stop_task);
}
