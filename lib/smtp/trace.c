/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/trace.h"
#include "smtp/server.h"

/* The dialogue in the log: `RC: ` from the remote client, `LS: ` from the local server. What is a
 * secret or mail is decided before a line is composed. */

static struct trace dialogue(struct mox_smtp_server *s)
{
    return (struct trace){&s->env, SMTP_PKG, s->peer.cid};
}

static void trace(struct mox_smtp_server *s, enum mox_log_level level, const char *who,
                  struct mox_slice text)
{
    const struct trace t = dialogue(s);
    mox__trace(&t, level, who, text);
}

static void trace_secret(struct mox_smtp_server *s, const char *masked, struct mox_slice line)
{
    const struct trace t = dialogue(s);
    mox__trace_hidden(&t, MOX_LOG_TRACEAUTH, "RC: ", masked, line);
}

/* AUTH with its mechanism, if it is one: whatever else stands there may be a secret. */
static void trace_auth_command(struct mox_smtp_server *s, struct mox_slice line)
{
    struct mox_slice args = mox__slice_trim(slice_from(line, 4));
    const uint8_t *space = args.len == 0 ? NULL : memchr(args.data, ' ', args.len);
    size_t len = space == NULL ? args.len : (size_t)(space - args.data);
    enum mox_sasl_mechanism m = mox_sasl_mechanism(slice(args.data, len));
    char masked[64];
    (void)snprintf(masked, sizeof masked, "RC: AUTH %s ***", mox_sasl_mechanism_name(m));
    if (m != 0 && space == NULL && mox__log_enabled(&s->env, MOX_LOG_TRACE, SMTP_PKG))
        trace(s, MOX_LOG_TRACE, "RC: ", line);
    else
        trace_secret(s, m == 0 ? "RC: AUTH ***" : masked, line);
}

void mox__smtp_trace_command(struct mox_smtp_server *s, struct mox_slice line)
{
    const uint8_t *space = line.len == 0 ? NULL : memchr(line.data, ' ', line.len);
    struct mox_slice verb =
        slice(line.data, space == NULL ? line.len : (size_t)(space - line.data));
    bool is_unknown = mox__smtp_verb(verb) == NULL;
    if (mox__slice_starts_nocase(line, "AUTH")) {
        trace_auth_command(s, line);
        s->auth_seen = true;
    } else if (is_unknown && s->auth_seen &&
               (!s->data_refused || !mox__log_enabled(&s->env, MOX_LOG_TRACEAUTH, SMTP_PKG))) {
        trace_secret(s, "RC: ***", line); /* a response to an AUTH that was refused, perhaps */
    } else if (is_unknown && s->data_refused) {
        mox__smtp_trace_content(s, line);
    } else {
        trace(s, MOX_LOG_TRACE, "RC: ", line);
        s->data_refused = s->data_refused || mox__slice_is_nocase(verb, "DATA") ||
                          mox__slice_is_nocase(verb, "BDAT"); /* until it is accepted */
    }
}

/* The user name of LOGIN too: a client that is out of step sends its password in its place. */
void mox__smtp_trace_auth(struct mox_smtp_server *s, struct mox_slice line)
{
    trace_secret(s, "RC: ***", line);
}

void mox__smtp_trace_content(struct mox_smtp_server *s, struct mox_slice data)
{
    const struct trace t = dialogue(s);
    mox__trace_hidden(&t, MOX_LOG_TRACEDATA, "RC: ", "RC: ...", data);
}

/* With the client's responses a challenge is enough to try passwords by: both are seen, or neither. */
void mox__smtp_trace_reply(struct mox_smtp_server *s, struct mox_slice line)
{
    const struct trace t = dialogue(s);
    if (s->reading == READ_AUTH && mox__slice_starts_nocase(line, "334 "))
        mox__trace_hidden(&t, MOX_LOG_TRACEAUTH, "LS: ", "LS: 334 ***", line);
    else
        mox__trace(&t, MOX_LOG_TRACE, "LS: ", line);
}
