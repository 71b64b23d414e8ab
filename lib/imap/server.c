/* SPDX-License-Identifier: MIT */
#include "imap/session.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "imap/append.h"
#include "imap/auth.h"

/* The public calls: what each does to the input, the output and the clock. */

#define SECOND INT64_C(1000000)

/* Without a byte of a literal, and without a byte taken by the client, before and after login. */
#define LITERAL_US     (30 * SECOND)
#define WRITE_LOGIN_US (30 * SECOND)
#define WRITE_US       (300 * SECOND)

/* Above config.max_output_bytes, which pauses long answers: what one step may add to it. */
#define STEP_OUTPUT_MAX_BYTES (32 * 1024 * 1024)
/* A whole command, a full read behind it, and what was read but not taken. */
#define INPUT_MAX_BYTES                                                                            \
    (COMMAND_TEXT_MAX_BYTES + LITERALS_MAX_BYTES + LINE_MAX_BYTES + 4 * MOX_INPUT_MAX)

void mox_imap_server_config_init(struct mox_imap_server_config *config)
{
    *config = (struct mox_imap_server_config){
        .size = sizeof *config,
        .hostname = "localhost",
        .max_append_bytes = UINT64_C(100) * 1024 * 1024,
        .max_output_bytes = 256 * 1024,
        .first_command_us = 30 * SECOND,
        .login_us = 180 * SECOND,
        .idle_us = 1800 * SECOND,
        .max_bad_commands = 10,
        .login_delay_us = SECOND,
        .mechanisms = MOX_SASL_PASSWORDS,
    };
}

static int64_t now_us(const struct mox_imap_server *s)
{
    return s->env.monotonic_us(s->env.user);
}

int mox_imap_server_new(struct mox_imap_server **out, const struct mox_env *env,
                        const struct mox_imap_server_config *config, const struct mox_peer *peer,
                        const struct mox_imap_server_callbacks *callbacks, void *user)
{
    *out = NULL;
    struct mox_imap_server *s = mem_new(env, struct mox_imap_server, 1);
    if (s == NULL)
        return MOX_ENOMEM;
    s->env = *env;
    mox_imap_server_config_init(&s->config);
    memcpy(&s->config, config, config->size < sizeof s->config ? config->size : sizeof s->config);
    memcpy(&s->peer, peer, peer->size < sizeof s->peer ? peer->size : sizeof s->peer);
    s->hostname = mox__strndup(env, s->config.hostname, strlen(s->config.hostname));
    s->config.hostname = s->hostname;
    memcpy(&s->cb, callbacks, callbacks->size < sizeof s->cb ? callbacks->size : sizeof s->cb);
    s->user = user;
    s->state = ST_NOT_AUTHENTICATED;
    s->reader = READ_COMMAND;
    atomic_init(&s->events, 0);
    mox__buf_init(&s->in, &s->env, INPUT_MAX_BYTES);
    mox__buf_init(&s->out, &s->env, s->config.max_output_bytes + STEP_OUTPUT_MAX_BYTES);
    s->started_us = s->active_us = s->sent_us = now_us(s);
    if (sem_init(&s->written, 0, 0) != 0 || s->hostname == NULL) {
        mox__mem_free(env, s->hostname);
        mox__mem_free(env, s);
        return MOX_ENOMEM;
    }
    int rc = s->cb.auth == NULL ? MOX_EINVAL : mox__imap_start(s);
    if (rc < 0) {
        mox_imap_server_free(s);
        return rc;
    }
    *out = s;
    return MOX_OK;
}

void mox_imap_server_free(struct mox_imap_server *s)
{
    if (s == NULL)
        return;
    while (s->writing && sem_wait(&s->written) != 0)
        ;
    s->writing = false;
    mox__imap_unwatch(s);
    if (s->cmd_open)
        mox__imap_log_result(s, &s->cmd);
    mox__imap_close_command(s);
    mox__imap_auth_close(s);
    mox__imap_unselect(s);
    mox__imap_drop_list_sync(s);
    mox_mailboxes_unref(s->mailboxes);
    if (s->have_store && s->store.ops->close != NULL)
        s->store.ops->close(s->store.self);
    if (s->in.data != NULL)
        mox__wipe(s->in.data, s->in.len); /* a LOGIN may be half there */
    mox__buf_free(&s->in);
    mox__buf_free(&s->out);
    (void)sem_destroy(&s->written);
    mox__mem_free(&s->env, s->hostname);
    struct mox_env env = s->env;
    mox__mem_free(&env, s);
}

/* Goes on, and says how it went. A session that fails still sends its last words. */
static int go_on(struct mox_imap_server *s)
{
    mox__imap_pump(s);
    return s->failure;
}

int mox_imap_server_input(struct mox_imap_server *s, const uint8_t *data, size_t len)
{
    if (s->failure < 0 || s->closing)
        return s->failure;
    mox__buf_append(&s->in, data, len);
    if (s->in.failed)
        s->failure = MOX_ENOMEM;
    if (s->out.len == s->out_at)
        s->sent_us = now_us(s); /* what is answered now has its own time to be taken */
    s->active_us = now_us(s);
    return go_on(s);
}

size_t mox_imap_server_output(struct mox_imap_server *s, const uint8_t **data)
{
    *data = s->out.data == NULL ? NULL : s->out.data + s->out_at;
    return s->out.len - s->out_at;
}

void mox_imap_server_sent(struct mox_imap_server *s, size_t len)
{
    s->out_at += len;
    s->sent_us = now_us(s);
    if (s->out_at == s->out.len) {
        bool failed = s->out.failed;
        mox__buf_free(&s->out);
        s->out.failed = failed;
        s->out_at = s->out_traced = 0;
    } else if (s->out_at > s->out.len / 2) {
        mox__buf_consume(&s->out, s->out_at);
        s->out_traced -= s->out_at;
        s->out_at = 0;
    }
    mox__imap_pump(s);
}

static bool stream_waits(const struct mox_imap_server *s)
{
    size_t have = s->in.len - s->in_at;
    return s->reader == READ_STREAM && have > 0 &&
           mox__append_waits(s, have < s->literal_left ? have : (size_t)s->literal_left);
}

static bool wants_read(const struct mox_imap_server *s)
{
    size_t have = s->in.len - s->in_at;
    switch (s->reader) {
    case READ_COMMAND:
        return !mox__imap_output_full(s);
    case READ_STREAM:
        return have < MOX_INPUT_MAX;
    case READ_BUSY:
        return have < PIPELINE_MAX_BYTES;
    case READ_SKIP:
    case READ_ANSWER:
        return true;
    case READ_TLS:
    case READ_GREETING:
        return false;
    }
    return false;
}

unsigned mox_imap_server_wants(struct mox_imap_server *s)
{
    unsigned wants = s->out.len > s->out_at ? MOX_WANTS_WRITE : 0u;
    if (s->failure < 0 || s->closing)
        return wants | MOX_WANTS_CLOSE;
    if (s->starttls_due)
        return wants | MOX_WANTS_STARTTLS;
    if (wants_read(s))
        wants |= MOX_WANTS_READ;
    if (s->waiting == STEP_WAIT || (s->waiting == STEP_CALL && s->reader == READ_BUSY) ||
        s->reader == READ_GREETING)
        wants |= MOX_WANTS_APP;
    if (s->waiting == STEP_RUN || stream_waits(s))
        wants |= MOX_WANTS_RUN;
    return wants;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t mox_imap_server_deadline(struct mox_imap_server *s)
{
    bool user = (s->state & ST_USER) != 0;
    int64_t due = INT64_MAX;
    if (s->out.len > s->out_at)
        due = s->sent_us + (user ? WRITE_US : WRITE_LOGIN_US);
    if (s->closing)
        return due;
    if (!user)
        due = earlier(due, s->started_us + s->config.login_us);
    if (!user && !s->first_seen)
        due = earlier(due, s->started_us + s->config.first_command_us);
    if (s->delayed_until_us > 0)
        due = earlier(due, s->delayed_until_us);
    if (s->reader == READ_BUSY)
        return due; /* we are the one who is waited for */
    if (s->literal_left > 0)
        return earlier(due, s->active_us + LITERAL_US);
    return user ? earlier(due, s->active_us + s->config.idle_us) : due;
}

int mox_imap_server_tick(struct mox_imap_server *s)
{
    if (now_us(s) < mox_imap_server_deadline(s))
        return s->failure;
    if (s->delayed_until_us > 0 && now_us(s) >= s->delayed_until_us) {
        s->delayed_until_us = 0;
        s->called = true;
        return go_on(s);
    }
    bool stuck = s->out.len > s->out_at; /* then a BYE would not get out either */
    log_line(&s->env, MOX_LOG_INFO, "imapserver", "connection timed out", NULL,
             F_HEX("cid", s->peer.cid), F_TEXT("remote", s->peer.remote_ip),
             F_TEXT("awaited", stuck                 ? "reading"
                               : s->literal_left > 0 ? "literal"
                                                     : "command"));
    if (!stuck)
        mox__imap_bye(s, "inactive");
    s->closing = true;
    if (stuck) {
        mox__buf_clear(&s->out);
        s->out_at = s->out_traced = 0;
    }
    return s->failure;
}

void mox_imap_server_eof(struct mox_imap_server *s)
{
    s->closing = true;
    mox__imap_auth_interrupted(s);
}

size_t mox_imap_server_tls_rest(struct mox_imap_server *s, const uint8_t **data)
{
    *data = s->in.data == NULL ? NULL : s->in.data + s->in_at;
    return s->reader == READ_TLS ? s->in.len - s->in_at : 0;
}

void mox_imap_server_tls_started(struct mox_imap_server *s, const struct mox_tls_info *info)
{
    mox__buf_free(&s->in);
    s->in_at = s->gathered = s->scanned = 0;
    s->peer.tls = true;
    memcpy(&s->peer.tls_info, info,
           info->size < sizeof s->peer.tls_info ? info->size : sizeof s->peer.tls_info);
    s->starttls_due = false;
    s->reader = READ_COMMAND;
    s->active_us = now_us(s);
}

int mox_imap_server_run(struct mox_imap_server *s)
{
    if (s->failure < 0 || s->closing)
        return s->failure;
    s->may_block = true;
    if (s->waiting == STEP_RUN)
        mox__imap_advance(s); /* one step: the host decides when to go on */
    else if (stream_waits(s))
        mox__imap_pump(s);
    s->may_block = false;
    return go_on(s);
}

int mox_imap_server_woken(struct mox_imap_server *s)
{
    if ((atomic_fetch_and(&s->events, ~(unsigned)EV_CHANGED) & EV_CHANGED) != 0 && s->watching)
        s->called = true;
    return go_on(s);
}

void mox_imap_server_shutdown(struct mox_imap_server *s)
{
    s->shutdown = true;
    bool busy = s->reader == READ_BUSY && s->delayed_until_us == 0;
    if (!busy && s->failure == MOX_OK)
        mox__imap_bye(s, "shutting down");
}

const struct mox_peer *mox_imap_server_peer(const struct mox_imap_server *s)
{
    return &s->peer;
}
