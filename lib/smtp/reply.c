/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "smtp/server.h"

/* RFC 5321 §4.5.3.1.5 has 512 with CRLF. Longer lines are broken at a space from SPLIT_FROM on. */
#define REPLY_LINE_MAX 510
#define SPLIT_FROM     400

static void copy_text(char *out, size_t size, const char *text)
{
    size_t len = strnlen(text, size - 1);
    memcpy(out, text, len);
    out[len] = '\0';
}

void mox__smtp_reply_text(struct mox_smtp_reply *reply, int code, const char *enhanced,
                          const char *text)
{
    reply->code = code;
    reply->slow = false;
    copy_text(reply->enhanced, sizeof reply->enhanced, enhanced);
    copy_text(reply->text, sizeof reply->text, text);
}

void mox_smtp_reply_set(struct mox_smtp_reply *reply, int code, const char *enhanced,
                        const char *format, ...)
{
    va_list args;
    reply->code = code;
    reply->slow = false;
    copy_text(reply->enhanced, sizeof reply->enhanced, enhanced);
    va_start(args, format);
    (void)vsnprintf(reply->text, sizeof reply->text, format, args);
    va_end(args);
}

/* What must not stand in a reply: controls, and bytes over 0x7f unless the client asked for UTF-8
 * (RFC 6531 §3.7.4). */
static uint8_t printable(const struct mox_smtp_server *s, uint8_t c)
{
    if (c < ' ' || c == 0x7f)
        return ' ';
    return c >= 0x80 && !s->envelope.smtputf8 ? '?' : c;
}

/* How much of the text fits on a line that starts with `prefix` bytes. */
static size_t fitting(struct mox_slice text, size_t prefix)
{
    size_t room = REPLY_LINE_MAX - prefix;
    if (text.len <= room)
        return text.len;
    for (size_t i = room; i >= SPLIT_FROM - prefix; i--)
        if (text.data[i] == ' ')
            return i;
    while (room > SPLIT_FROM - prefix && (text.data[room] & 0xc0) == 0x80)
        room--; /* not inside of a character */
    return room;
}

static void put_line(struct mox_smtp_server *s, int code, const char *enhanced, bool last,
                     struct mox_slice text)
{
    size_t start = s->out.len;
    mox__buf_uint(&s->out, (uint64_t)code);
    mox__buf_byte(&s->out, last ? ' ' : '-');
    mox__buf_text(&s->out, enhanced);
    if (*enhanced != '\0')
        mox__buf_byte(&s->out, ' ');
    uint8_t *room = mox__buf_reserve(&s->out, text.len + 2);
    if (room == NULL) {
        s->failure = MOX_ENOMEM;
        s->closing = true;
        s->out.len = start; /* no half line */
        return;
    }
    for (size_t i = 0; i < text.len; i++)
        room[i] = printable(s, text.data[i]);
    memcpy(room + text.len, "\r\n", 2);
    s->out.len += text.len + 2;
    mox__smtp_trace_reply(s, slice(s->out.data + start, s->out.len - start - 2));
}

static void put_lines(struct mox_smtp_server *s, int code, const char *enhanced,
                      struct mox_slice text)
{
    size_t prefix = 4 + strlen(enhanced) + (*enhanced != '\0');
    bool last;
    do {
        const uint8_t *lf = text.len == 0 ? NULL : memchr(text.data, '\n', text.len);
        struct mox_slice line = slice(text.data, lf == NULL ? text.len : (size_t)(lf - text.data));
        size_t n = fitting(line, prefix);
        size_t skip = n < line.len ? (size_t)(line.data[n] == ' ') : (size_t)(lf != NULL);
        last = n + skip == text.len && lf == NULL;
        put_line(s, code, enhanced, last, slice(line.data, n));
        text = slice_from(text, n + skip);
    } while (!last && s->failure == MOX_OK);
}

/* Verbs that we do not know are one; codes are ours and the host's. */
static const struct mox_metric command_durations = {
    .name = "mox_smtpserver_command_duration_seconds",
    .help = "From an SMTP command to each of its replies.",
    .type = MOX_METRIC_HISTOGRAM,
    .unit = MOX_METRIC_SECONDS,
    .labels = {"kind", "cmd", "code", "ecode"},
    .bounds = METRIC_BOUNDS_COMMAND,
    .max_series = 512,
};

static void log_result(struct mox_smtp_server *s, int code, const char *enhanced)
{
    bool logged = mox__log_enabled(&s->env, MOX_LOG_DEBUG, SMTP_PKG);
    if (s->verb == NULL || (!logged && s->env.metric == NULL))
        return;
    const char *kind = s->config.mode == MOX_SMTP_DELIVERY ? "smtp" : "submission";
    const char digits[] = {(char)('0' + code / 100 % 10), (char)('0' + code / 10 % 10),
                           (char)('0' + code % 10), '\0'};
    int64_t us = s->env.monotonic_us(s->env.user) - s->verb_us;
    metric_add(&s->env, &command_durations, us, kind, s->verb, digits, enhanced);
    if (logged)
        log_line(&s->env, MOX_LOG_DEBUG, SMTP_PKG, "smtp command result", NULL,
                 F_HEX("cid", s->peer.cid), F_TEXT("kind", kind), F_TEXT("cmd", s->verb),
                 F_INT("code", code), F_TEXT("ecode", enhanced), F_DURATION("duration", us));
}

static void put_reply(struct mox_smtp_server *s, int code, const char *enhanced,
                      struct mox_slice text)
{
    log_result(s, code, enhanced);
    put_lines(s, code, enhanced, text);
}

void mox__smtp_send_lines(struct mox_smtp_server *s, int code, struct mox_slice text)
{
    put_reply(s, code, "", text);
}

void mox__smtp_send_challenge(struct mox_smtp_server *s, struct mox_slice text)
{
    log_result(s, 334, "");
    put_line(s, 334, "", true, text);
}

void mox__smtp_send(struct mox_smtp_server *s, const struct mox_smtp_reply *reply)
{
    char text[sizeof reply->text + sizeof s->received_id + 4];
    bool failed = reply->code >= 400 && reply->code != 421;
    int n = snprintf(text, sizeof text, failed ? "%s (%s)" : "%s", reply->text, s->received_id);
    put_reply(s, reply->code, reply->enhanced, slice(text, n < 0 ? 0 : (size_t)n));
    if (reply->code == 421) /* RFC 5321 §4.2.3: it announces that we close */
        mox__smtp_close(s);
}

void mox__smtp_reply(struct mox_smtp_server *s, int code, const char *enhanced, const char *format,
                     ...)
{
    struct mox_smtp_reply reply;
    mox__smtp_reply_text(&reply, code, enhanced, "");
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reply.text, sizeof reply.text, format, args);
    va_end(args);
    mox__smtp_send(s, &reply);
}

/* How much of a wrong line a user is shown. */
#define REST_MAX 100

void mox__smtp_bad_syntax(struct mox_smtp_server *s, struct mox_slice rest, const char *advice)
{
    s->bad_commands++;
    int shown = (int)(rest.len < REST_MAX ? rest.len : REST_MAX);
    if (s->username != NULL && shown > 0)
        mox__smtp_reply(s, 501, "5.5.2", "bad syntax: %s, at \"%.*s\"", advice, shown,
                        (const char *)rest.data);
    else
        mox__smtp_reply(s, 501, "5.5.2", "bad syntax: %s", advice);
}

void mox__smtp_bye(struct mox_smtp_server *s, int code, const char *enhanced, const char *text)
{
    put_reply(s, code, enhanced, slice_of(text));
    mox__smtp_close(s);
}

void mox__smtp_close(struct mox_smtp_server *s)
{
    s->closing = true;
    if (s->pending != ASK_NOTHING)
        return;
    mox__smtp_auth_abandon(s);
    mox__smtp_end_transaction(s);
}
