/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "smtp/server.h"

/* Replies that wait; from here on no further command is read, so that a client which sends and
 * never reads costs this much and no more. */
#define OUTPUT_HIGH 8192

struct mox_slice mox__smtp_unread(const struct mox_smtp_server *s)
{
    return slice_from(slice(s->in.data, s->in.len), s->in_at);
}

size_t mox__smtp_unsent(const struct mox_smtp_server *s)
{
    return s->out.len - s->out_at;
}

bool mox__smtp_may_read(const struct mox_smtp_server *s)
{
    return s->failure == MOX_OK && !s->closing && !s->starting_tls && s->pending == ASK_NOTHING &&
           s->held_until_us == 0 && mox__smtp_unsent(s) < OUTPUT_HIGH;
}

static size_t line_max(const struct mox_smtp_server *s, struct mox_slice src)
{
    bool auth = s->reading == READ_AUTH || mox__slice_starts_nocase(src, "AUTH ");
    return auth ? LINE_MAX_AUTH : LINE_MAX_COMMAND;
}

static void line_too_long(struct mox_smtp_server *s)
{
    mox__smtp_bye(s, 500, "5.5.0", "line too long");
    s->failure = MOX_ELIMIT;
}

/* One line of a command or of an AUTH dialogue: up to LF, without it and a CR in front. */
static size_t read_line(struct mox_smtp_server *s, struct mox_slice src)
{
    if (mox__smtp_is_foreign(s, src)) {
        mox__smtp_not_smtp(s);
        return 0;
    }
    size_t max = line_max(s, src);
    size_t end = src.len <= max ? src.len : max + 1;
    const uint8_t *lf = NULL;
    if (s->scanned < end)
        lf = memchr(src.data + s->scanned, '\n', end - s->scanned);
    s->scanned = lf == NULL ? end : 0;
    if (lf == NULL) {
        if (src.len > max)
            line_too_long(s);
        return 0;
    }
    struct mox_slice line = slice(src.data, (size_t)(lf - src.data));
    size_t used = line.len + 1;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (s->reading == READ_COMMAND && mox__smtp_holds(s, line))
        return 0;
    s->active_us = s->env.monotonic_us(s->env.user);
    if (s->reading == READ_AUTH)
        mox__smtp_auth_line(s, line);
    else
        mox__smtp_command(s, line);
    mox__smtp_check_patience(s);
    return used;
}

static size_t read_some(struct mox_smtp_server *s, struct mox_slice src)
{
    return s->reading == READ_CONTENT ? mox__smtp_content_read(s, src) : read_line(s, src);
}

/* Goes on until the source is empty, has no whole line, or an answer is pending. */
static size_t read_all(struct mox_smtp_server *s, struct mox_slice src)
{
    size_t used = 0, n = 1;
    while (n > 0 && mox__smtp_may_read(s)) {
        n = 0;
        if (s->reading == READ_CONTENT && s->content.ended)
            n = mox__smtp_content_finish(s);
        else if (used < src.len)
            used += n = read_some(s, slice_from(src, used));
    }
    if (s->reading == READ_CONTENT && mox__smtp_may_read(s))
        mox__smtp_content_flush(s); /* what has come so far: it must not wait for more */
    return used;
}

void mox__smtp_drop_input(struct mox_smtp_server *s)
{
    if (s->in.data != NULL && s->config.mode == MOX_SMTP_SUBMISSION)
        mox__wipe(s->in.data, s->in.cap); /* a password may have waited there */
    mox__buf_free(&s->in);
    s->in_at = s->scanned = 0;
}

/* What the state of the input calls for, once it went as far as it can. */
static void settle(struct mox_smtp_server *s)
{
    if (s->in_at == s->in.len && s->in.data != NULL)
        mox__smtp_drop_input(s); /* an idle connection holds no buffer */
    if (s->closing || s->failure < 0 || s->pending != ASK_NOTHING)
        return;
    if (s->shutting_down && s->reading != READ_CONTENT)
        mox__smtp_bye(s, 421, "4.3.2", "shutting down");
    else if (s->eof && mox__smtp_unsent(s) < OUTPUT_HIGH)
        mox__smtp_close(s);
}

void mox__smtp_resume(struct mox_smtp_server *s)
{
    struct mox_slice unread = mox__smtp_unread(s);
    if (mox__smtp_may_read(s))
        s->in_at += read_all(s, unread);
    settle(s);
}

void mox__smtp_take(struct mox_smtp_server *s, struct mox_slice data)
{
    if (s->reading == READ_CONTENT)
        s->active_us = s->env.monotonic_us(s->env.user);
    /* From the caller's memory as far as possible; what is left over is copied. */
    size_t used = s->in.len == 0 ? read_all(s, data) : 0;
    if (used < data.len && s->failure == MOX_OK && !s->closing) {
        mox__buf_consume(&s->in, s->in_at);
        s->in_at = 0;
        bool first = s->in.len == 0;
        mox__buf_slice(&s->in, slice_from(data, used));
        if (s->in.failed) {
            s->failure = MOX_ENOMEM;
            mox__smtp_close(s);
        } else if (!first) {
            s->in_at = read_all(s, slice(s->in.data, s->in.len));
        }
    }
    settle(s);
}
