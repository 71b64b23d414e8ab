/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "smtp/server.h"

/* The dialogue in the log: `RC: ` from the remote client, `LS: ` from the local server. What is a
 * secret or mail is decided before a line is composed. */

/* Content is shown in lines of this size. */
#define SHOWN_MAX 4096

static void trace(struct mox_smtp_server *s, enum mox_log_level level, const char *who,
                  struct mox_slice text)
{
    char line[SHOWN_MAX + 8];
    size_t n = strlen(who), len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
    memcpy(line, who, n);
    for (size_t i = 0; i < len; i++) /* a message of the log ends at a NUL */
        line[n + i] = text.data[i] == '\0' ? '?' : (char)text.data[i];
    line[n + len] = '\0';
    log_line(&s->env, level, SMTP_PKG, line, NULL, F_HEX("cid", s->peer.cid));
    if (level == MOX_LOG_TRACEAUTH)
        mox__wipe(line, sizeof line);
}

static void trace_masked(struct mox_smtp_server *s, const char *shown, size_t size)
{
    if (mox__log_enabled(&s->env, MOX_LOG_TRACE, SMTP_PKG))
        log_line(&s->env, MOX_LOG_TRACE, SMTP_PKG, shown, NULL, F_HEX("cid", s->peer.cid),
                 F_UINT("size", size));
}

static void trace_secret(struct mox_smtp_server *s, const char *masked, struct mox_slice line)
{
    if (mox__log_enabled(&s->env, MOX_LOG_TRACEAUTH, SMTP_PKG))
        trace(s, MOX_LOG_TRACEAUTH, "RC: ", line);
    else
        trace_masked(s, masked, line.len);
}

/* AUTH with its mechanism, if it is one: whatever else stands there may be a secret. */
static void trace_auth_command(struct mox_smtp_server *s, struct mox_slice line)
{
    struct mox_slice args = mox__slice_trim(slice_from(line, 4));
    const uint8_t *space = args.len == 0 ? NULL : memchr(args.data, ' ', args.len);
    size_t len = space == NULL ? args.len : (size_t)(space - args.data);
    const struct sasl_mechanism *m = mox__sasl_find(slice(args.data, len));
    char masked[64];
    (void)snprintf(masked, sizeof masked, "RC: AUTH %s ***", m == NULL ? "" : mox__sasl_name(m));
    if (m != NULL && space == NULL && mox__log_enabled(&s->env, MOX_LOG_TRACE, SMTP_PKG))
        trace(s, MOX_LOG_TRACE, "RC: ", line);
    else
        trace_secret(s, m == NULL ? "RC: AUTH ***" : masked, line);
}

void mox__smtp_trace_command(struct mox_smtp_server *s, struct mox_slice line)
{
    const uint8_t *space = line.len == 0 ? NULL : memchr(line.data, ' ', line.len);
    struct mox_slice verb =
        slice(line.data, space == NULL ? line.len : (size_t)(space - line.data));
    if (mox__slice_starts_nocase(line, "AUTH")) {
        trace_auth_command(s, line);
        s->auth_seen = true;
    } else if (s->auth_seen && mox__smtp_verb(verb) == NULL) {
        trace_secret(s, "RC: ***", line); /* a response to an AUTH that was refused, perhaps */
    } else if (mox__log_enabled(&s->env, MOX_LOG_TRACE, SMTP_PKG)) {
        trace(s, MOX_LOG_TRACE, "RC: ", line);
    }
}

/* The user name of LOGIN too: a client that is out of step sends its password in its place. */
void mox__smtp_trace_auth(struct mox_smtp_server *s, struct mox_slice line)
{
    trace_secret(s, "RC: ***", line);
}

void mox__smtp_trace_content(struct mox_smtp_server *s, struct mox_slice data)
{
    if (!mox__log_enabled(&s->env, MOX_LOG_TRACEDATA, SMTP_PKG)) {
        trace_masked(s, "RC: ...", data.len);
        return;
    }
    while (data.len > 0) {
        size_t n = data.len < SHOWN_MAX ? data.len : SHOWN_MAX;
        trace(s, MOX_LOG_TRACEDATA, "RC: ", slice(data.data, n));
        data = slice_from(data, n);
    }
}

void mox__smtp_trace_reply(struct mox_smtp_server *s, struct mox_slice line)
{
    if (mox__log_enabled(&s->env, MOX_LOG_TRACE, SMTP_PKG))
        trace(s, MOX_LOG_TRACE, "LS: ", line);
}
