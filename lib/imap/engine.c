/* SPDX-License-Identifier: MIT */
#include <mox/imap_server.h>

/* The calls of mox/imap_server.h for a host of several protocols. */

static int engine_input(void *self, const uint8_t *data, size_t len)
{
    return mox_imap_server_input(self, data, len);
}

static size_t engine_output(void *self, const uint8_t **data)
{
    return mox_imap_server_output(self, data);
}

static void engine_sent(void *self, size_t len)
{
    mox_imap_server_sent(self, len);
}

static unsigned engine_wants(void *self)
{
    return mox_imap_server_wants(self);
}

static int64_t engine_deadline(void *self)
{
    return mox_imap_server_deadline(self);
}

static int engine_tick(void *self)
{
    return mox_imap_server_tick(self);
}

static void engine_eof(void *self)
{
    mox_imap_server_eof(self);
}

static size_t engine_tls_rest(void *self, const uint8_t **data)
{
    return mox_imap_server_tls_rest(self, data);
}

static void engine_tls_started(void *self, const struct mox_tls_info *info)
{
    mox_imap_server_tls_started(self, info);
}

static int engine_run(void *self)
{
    return mox_imap_server_run(self);
}

static int engine_woken(void *self)
{
    return mox_imap_server_woken(self);
}

static void engine_shutdown(void *self)
{
    mox_imap_server_shutdown(self);
}

static unsigned engine_pace(void *self)
{
    return mox_imap_server_pace(self);
}

static void engine_free(void *self)
{
    mox_imap_server_free(self);
}

struct mox_engine mox_imap_server_engine(struct mox_imap_server *s)
{
    static const struct mox_engine_ops ops = {
        .input = engine_input,
        .output = engine_output,
        .sent = engine_sent,
        .wants = engine_wants,
        .deadline = engine_deadline,
        .tick = engine_tick,
        .eof = engine_eof,
        .tls_rest = engine_tls_rest,
        .tls_started = engine_tls_started,
        .run = engine_run,
        .woken = engine_woken,
        .shutdown = engine_shutdown,
        .pace = engine_pace,
        .free = engine_free,
    };
    return (struct mox_engine){&ops, s};
}
