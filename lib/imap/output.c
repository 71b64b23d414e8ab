/* SPDX-License-Identifier: MIT */
#include "imap/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/trace.h"
#include "imap/flags.h"
#include "mailstore/utf7.h"

#define PKG "imapserver"

bool mox__imap_output_full(const struct mox_imap_server *s)
{
    return s->out.len - s->out_at >= s->config.max_output_bytes;
}

size_t mox__imap_output_room(const struct mox_imap_server *s)
{
    size_t pending = s->out.len - s->out_at;
    return pending >= s->config.max_output_bytes ? 0 : s->config.max_output_bytes - pending;
}

void mox__imap_put(struct mox_imap_server *s, const char *text)
{
    mox__buf_text(&s->out, text);
}

void mox__imap_putf(struct mox_imap_server *s, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text)
        s->out.failed = true; /* ours: long texts go in pieces */
    else
        mox__buf_append(&s->out, text, (size_t)n);
}

/* --- names --- */

static bool is_plain_atom(struct mox_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f ||
            strchr("(){%*\"\\]", text.data[i]) != NULL)
            return false;
    /* NIL would be read as no string at all. */
    return text.len > 0 && !mox__slice_is_nocase(text, "NIL");
}

void mox__imap_put_mailbox(struct mox_imap_server *s, const char *name)
{
    /* Written in place, then read once more to see how it must be quoted. */
    size_t start = s->out.len;
    mox__utf7_encode(&s->out, name);
    if (s->out.failed || is_plain_atom(slice(s->out.data + start, s->out.len - start)))
        return;
    struct buf copy;
    mox__buf_init(&copy, &s->env, SIZE_MAX / 2);
    mox__buf_append(&copy, s->out.data + start, s->out.len - start);
    s->out.len = start;
    mox__buf_quoted(&s->out, slice(copy.data, copy.len));
    s->out.failed |= copy.failed;
    mox__buf_free(&copy);
}

/* --- flags --- */

void mox__imap_put_flags(struct mox_imap_server *s, const struct mox_view *view,
                         const struct mox_view_row *row)
{
    unsigned count = 0;
    const char *const *names = mox_view_keywords(view, &count);
    mox__flags_write(&s->out, row->flags, row->keywords, names, count,
                     mox__imap_is_recent(s, row->uid));
}

/* --- the log --- */

static struct trace dialogue(struct mox_imap_server *s)
{
    return (struct trace){&s->env, PKG, s->peer.cid};
}

void mox__imap_trace_output(struct mox_imap_server *s)
{
    const struct trace t = dialogue(s);
    size_t at = s->out_traced;
    s->out_traced = s->out.len;
    if (at >= s->out.len || !mox__log_enabled(&s->env, MOX_LOG_TRACE, PKG))
        return;
    while (at < s->out.len) {
        const uint8_t *line = s->out.data + at;
        const uint8_t *end = memchr(line, '\n', s->out.len - at);
        size_t len = end == NULL ? s->out.len - at : (size_t)(end - line) + 1;
        mox__trace(&t, MOX_LOG_TRACE, "LS: ", mox__slice_trim(slice(line, len)));
        at += len;
    }
}

void mox__imap_put_data(struct mox_imap_server *s, struct mox_slice data)
{
    const struct trace t = dialogue(s);
    mox__imap_trace_output(s);
    mox__buf_slice(&s->out, data);
    s->out_traced = s->out.len;
    mox__trace_hidden(&t, MOX_LOG_TRACEDATA, "LS: ", "LS: ...", data);
}

void mox__imap_put_challenge(struct mox_imap_server *s, struct mox_slice challenge)
{
    const struct trace t = dialogue(s);
    mox__imap_trace_output(s);
    mox__imap_put(s, "+ ");
    mox__base64_encode(&s->out, challenge);
    mox__trace_hidden(&t, MOX_LOG_TRACEAUTH, "LS: ", "LS: + ***",
                      slice(s->out.data + s->out_traced, s->out.len - s->out_traced));
    mox__imap_put(s, "\r\n");
    s->out_traced = s->out.len;
}

void mox__imap_trace_input(struct mox_imap_server *s, struct mox_slice line, bool secret)
{
    const struct trace t = dialogue(s);
    if (secret)
        mox__trace_hidden(&t, MOX_LOG_TRACEAUTH, "RC: ", "RC: ***", line);
    else
        mox__trace(&t, MOX_LOG_TRACE, "RC: ", line);
}

void mox__imap_trace_input_data(struct mox_imap_server *s, struct mox_slice data, bool secret)
{
    const struct trace t = dialogue(s);
    if (secret)
        mox__imap_trace_input(s, data, true);
    else
        mox__trace_hidden(&t, MOX_LOG_TRACEDATA, "RC: ", "RC: ...", data);
}
