/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "smtp/server.h"

/* A recipient in the transaction's memory: a path of RFC 5321, its decoded parts, and some room. */
#define RECIPIENT_BYTES 2048
/* Output: what may wait when a command is read, and the longest reply. */
#define OUTPUT_MAX 65536
/* How long the last words may take to get out. */
#define CLOSE_US (INT64_C(30) * 1000000)

#define SECONDS(n) (INT64_C(n) * 1000000)

void mox_smtp_server_config_init(struct mox_smtp_server_config *config)
{
    *config = (struct mox_smtp_server_config){
        .size = sizeof *config,
        .max_message_bytes = UINT64_C(100) * 1024 * 1024,
        .max_recipients = 1000,
        .first_command_us = SECONDS(30),
        .command_us = SECONDS(300),
        .data_us = SECONDS(180),
        .data_total_us = SECONDS(1800),
        .drain_us = SECONDS(60),
        .max_bad_commands = 10,
        .login_delay_us = SECONDS(1),
        .mechanisms = MOX_SASL_PASSWORDS,
    };
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Structs of a host may be older, and shorter, than ours; newer members keep their defaults. */
static void copy_settings(struct mox_smtp_server *s, const struct mox_smtp_server_config *config,
                          const struct mox_peer *peer,
                          const struct mox_smtp_server_callbacks *callbacks)
{
    mox_smtp_server_config_init(&s->config);
    memcpy(&s->config, config, min_size(config->size, sizeof s->config));
    memcpy(&s->peer, peer, min_size(peer->size, sizeof s->peer));
    memcpy(&s->cb, callbacks, min_size(callbacks->size, sizeof s->cb));
}

static void init_session(struct mox_smtp_server *s)
{
    struct mox_smtp_envelope *e = &s->envelope;
    mox__buf_init(&s->in, &s->env, MOX_INPUT_MAX + LINE_MAX_AUTH);
    mox__buf_init(&s->out, &s->env, OUTPUT_MAX);
    mox__buf_init(&s->content.piece, &s->env, 0);
    mox__arena_init(&s->arena, &s->env, ((size_t)s->config.max_recipients + 2) * RECIPIENT_BYTES);
    mox__arena_init(&s->scratch, &s->env, 2 * RECIPIENT_BYTES);
    mox_smtp_received_id(s->config.received_id_key, s->peer.cid, s->received_id);
    s->state = ST_START;
    s->started_us = s->active_us = s->env.monotonic_us(s->env.user);
    e->hello = "";
    e->peer = &s->peer;
    e->tls = s->peer.tls;
    e->tls_info = s->peer.tls ? &s->peer.tls_info : NULL;
    e->hostname = s->hostname;
    e->received_id = s->received_id;
}

int mox_smtp_server_new(struct mox_smtp_server **out, const struct mox_env *env,
                        const struct mox_smtp_server_config *config, const struct mox_peer *peer,
                        const struct mox_smtp_server_callbacks *callbacks, void *user)
{
    *out = NULL;
    if (config->hostname == NULL)
        return MOX_EINVAL;
    struct mox_smtp_server *s = mem_new(env, struct mox_smtp_server, 1);
    if (s == NULL)
        return MOX_ENOMEM;
    s->env = *env;
    s->user = user;
    copy_settings(s, config, peer, callbacks);
    s->hostname = mox__strndup(env, config->hostname, strlen(config->hostname));
    s->config.hostname = s->hostname;
    int rc = s->hostname == NULL ? MOX_ENOMEM : MOX_OK;
    if (s->cb.rcpt == NULL || s->cb.data == NULL || s->cb.deliver == NULL)
        rc = MOX_EINVAL;
    init_session(s);
    if (rc == MOX_OK) {
        mox__smtp_reply(s, 220, "", "%s ESMTP", s->hostname);
        rc = s->failure;
    }
    if (rc == MOX_OK)
        *out = s;
    else
        mox_smtp_server_free(s);
    return rc;
}

void mox_smtp_server_free(struct mox_smtp_server *s)
{
    if (s == NULL)
        return;
    if (s->pending != ASK_NOTHING)
        s->transaction = false; /* the host has what belongs to it in its hands */
    mox__smtp_end_transaction(s);
    mox__smtp_auth_abandon(s);
    mox__smtp_drop_input(s);
    mox__buf_free(&s->out);
    mox__mem_free(&s->env, s->before.hello);
    mox__mem_free(&s->env, s->hello);
    mox__mem_free(&s->env, s->username);
    mox__mem_free(&s->env, s->hostname);
    const struct mox_env env = s->env;
    mox__mem_free(&env, s);
}

int mox_smtp_server_input(struct mox_smtp_server *s, const uint8_t *data, size_t len)
{
    if (s->failure == MOX_OK && len > 0)
        mox__smtp_take(s, slice(data, len));
    return s->failure;
}

size_t mox_smtp_server_output(struct mox_smtp_server *s, const uint8_t **data)
{
    size_t len = mox__smtp_unsent(s);
    *data = len == 0 ? NULL : s->out.data + s->out_at;
    return len;
}

void mox_smtp_server_sent(struct mox_smtp_server *s, size_t len)
{
    if (len == 0)
        return;
    s->out_at += min_size(len, mox__smtp_unsent(s));
    s->active_us = s->env.monotonic_us(s->env.user);
    if (mox__smtp_unsent(s) == 0) {
        mox__buf_free(&s->out);
        s->out_at = 0;
    }
    mox__smtp_resume(s);
}

unsigned mox_smtp_server_wants(struct mox_smtp_server *s)
{
    unsigned wants = mox__smtp_unsent(s) > 0 ? (unsigned)MOX_WANTS_WRITE : 0;
    if (s->failure < 0 || s->closing)
        return wants | MOX_WANTS_CLOSE;
    if (s->pending != ASK_NOTHING)
        return wants | MOX_WANTS_APP;
    if (s->held_until_us > 0)
        return wants;
    if (s->starting_tls)
        return wants | MOX_WANTS_STARTTLS;
    if (mox__smtp_may_read(s) && !s->eof)
        wants |= MOX_WANTS_READ;
    return wants;
}

int64_t mox_smtp_server_deadline(struct mox_smtp_server *s)
{
    bool unsent = mox__smtp_unsent(s) > 0;
    if (s->failure < 0 || s->closing)
        return unsent ? s->active_us + CLOSE_US : INT64_MAX;
    if (unsent)
        return s->active_us + s->config.command_us;
    if (s->pending != ASK_NOTHING || s->starting_tls)
        return INT64_MAX;
    if (s->held_until_us > 0)
        return s->held_until_us;
    if (s->reading == READ_CONTENT)
        return mox__smtp_content_deadline(s);
    return s->greeted ? s->active_us + s->config.command_us
                      : s->started_us + s->config.first_command_us;
}

static void log_timeout(struct mox_smtp_server *s, const char *awaited)
{
    log_line(&s->env, MOX_LOG_INFO, SMTP_PKG, "connection timed out", NULL,
             F_HEX("cid", s->peer.cid), F_TEXT("remote", s->peer.remote_ip),
             F_TEXT("awaited", awaited));
}

int mox_smtp_server_tick(struct mox_smtp_server *s)
{
    if (s->env.monotonic_us(s->env.user) < mox_smtp_server_deadline(s))
        return s->failure;
    if (mox__smtp_unsent(s) > 0) { /* nobody reads what we say */
        log_timeout(s, "reading");
        mox__buf_free(&s->out);
        s->out_at = 0;
        if (s->failure == MOX_OK)
            mox__smtp_close(s);
    } else if (s->held_until_us > 0) {
        mox__smtp_release(s);
    } else if (s->reading == READ_CONTENT) {
        log_timeout(s, "content");
        mox__smtp_content_late(s);
    } else {
        log_timeout(s, "command");
        mox__smtp_bye(s, 421, "4.4.2", "no command came in time");
    }
    return s->failure;
}

void mox_smtp_server_eof(struct mox_smtp_server *s)
{
    s->eof = true;
    mox__smtp_resume(s);
}

size_t mox_smtp_server_tls_rest(struct mox_smtp_server *s, const uint8_t **data)
{
    struct mox_slice rest = mox__smtp_unread(s);
    *data = rest.data;
    return rest.len;
}

void mox_smtp_server_tls_started(struct mox_smtp_server *s, const struct mox_tls_info *info)
{
    struct mox_smtp_envelope *e = &s->envelope;
    if (!s->starting_tls)
        return;
    mox__smtp_drop_input(s);
    s->starting_tls = false;
    s->peer.tls = true;
    memcpy(&s->peer.tls_info, info, min_size(info->size, sizeof *info));
    /* RFC 3207 §4.2: what was said in the clear does not count. */
    mox__mem_free(&s->env, s->hello);
    s->hello = NULL;
    s->state = ST_START;
    s->active_us = s->env.monotonic_us(s->env.user);
    e->hello = "";
    e->hello_is_literal = e->esmtp = false;
    e->tls = true;
    e->tls_info = &s->peer.tls_info;
}

int mox_smtp_server_reply(struct mox_smtp_server *s, int status, const struct mox_smtp_reply *reply)
{
    enum ask ask = s->pending;
    if (ask == ASK_NOTHING || ask == ASK_AUTH || status == MOX_LATER)
        return MOX_EINVAL;
    if (reply != NULL)
        s->reply = *reply;
    s->active_us = s->env.monotonic_us(s->env.user);
    mox__smtp_answer(s, ask, status);
    mox__smtp_resume(s);
    return s->failure;
}

void mox_smtp_server_shutdown(struct mox_smtp_server *s)
{
    s->shutting_down = true;
    mox__smtp_resume(s);
}

const struct mox_peer *mox_smtp_server_peer(const struct mox_smtp_server *s)
{
    return &s->peer;
}
