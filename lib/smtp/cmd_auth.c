/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "smtp/auth.h"

/* auth = "AUTH" SP sasl-mech [SP initial-response] CRLF
 *        *( "334" SP base64 CRLF  base64 CRLF )  ; or "*" to give up         RFC 4954 §4 */

static bool is_available(const struct mox_smtp_server *s)
{
    return s->config.mode == MOX_SMTP_SUBMISSION && s->cb.auth != NULL;
}

static const struct mox_tls_info *tls_of(const struct mox_smtp_server *s)
{
    return s->envelope.tls ? &s->peer.tls_info : NULL;
}

unsigned mox__smtp_auth_offered(const struct mox_smtp_server *s)
{
    bool clear_text_allowed = s->config.auth_without_tls && !s->config.tls_required;
    return mox_sasl_offered(s->config.mechanisms, tls_of(s), clear_text_allowed);
}

void mox__smtp_auth_announce(const struct mox_smtp_server *s, struct buf *b)
{
    if (!is_available(s))
        return;
    /* Who would have to begin TLS before MAIL is not led to show what can be guessed at. */
    const bool too_early = s->config.tls_required && !s->envelope.tls;
    unsigned offered = too_early ? 0 : mox__smtp_auth_offered(s);
    const char *name;
    mox__buf_text(b, "AUTH");
    if (offered == 0)
        mox__buf_text(b, " "); /* only after STARTTLS, but clients want to know that it will be */
    for (size_t i = 0; (name = mox_sasl_offered_name(offered, i)) != NULL; i++)
        mox__buf_printf(b, " %s", name);
    mox__buf_text(b, "\n");
}

/* -- responses -------------------------------------------------------------------------------- */

/* The decoded text is a secret; the buffer has all its room from the start, so that it never moves.
 */
static void step_base64(struct mox_smtp_server *s, struct mox_slice encoded)
{
    struct buf text;
    mox__buf_init(&text, &s->env, LINE_MAX_AUTH);
    if (mox__buf_reserve(&text, encoded.len / 4 * 3 + 1) == NULL)
        mox__smtp_auth_out_of_memory(s);
    else if (mox__base64_decode(&text, encoded) < 0)
        mox__smtp_auth_give_up(s, MOX_SASL_FAILED_SYNTAX, "5.5.2",
                               "bad syntax: the response is not base64");
    else
        mox__smtp_auth_step(s, slice(text.data, text.len));
    if (text.data != NULL)
        mox__wipe(text.data, text.cap);
    mox__buf_free(&text);
}

void mox__smtp_auth_line(struct mox_smtp_server *s, struct mox_slice line)
{
    mox__smtp_trace_auth(s, line);
    s->reading = READ_COMMAND;
    if (mox__slice_is(line, "*"))
        mox__smtp_auth_give_up(s, MOX_SASL_FAILED_ABORTED, "5.5.0", "authentication cancelled");
    else
        step_base64(s, line);
}

/* The initial response with the space in front. */
static void initial_response(struct mox_smtp_server *s, struct mox_slice rest)
{
    struct mox_slice response = slice_from(rest, 1);
    while (!s->config.pedantic && response.len > 0 && response.data[0] == ' ')
        response = slice_from(response, 1);
    if (response.len == 0)
        mox__smtp_auth_give_up(s, MOX_SASL_FAILED_SYNTAX, "5.5.2",
                               "bad syntax: a space but no response behind the mechanism");
    else if (mox__slice_is(response, "="))
        mox__smtp_auth_step(s, slice("", 0));
    else
        step_base64(s, response);
}

/* -- the command ------------------------------------------------------------------------------ */

/* False: not now, or not here. Whom a certificate has logged in may still do so by name. */
static bool is_possible(struct mox_smtp_server *s)
{
    if (!is_available(s))
        mox__smtp_reply(s, 503, "5.5.1", "authentication is not available here");
    else if (s->username != NULL && !s->by_certificate)
        mox__smtp_reply(s, 503, "5.5.1", "you are authenticated already");
    else
        return true;
    return false;
}

/* A mechanism that we have, but not on this connection. */
static void refuse_mechanism(struct mox_smtp_server *s, enum mox_sasl_mechanism m)
{
    if (tls_of(s) == NULL)
        mox__smtp_reply(s, 538, "5.7.11", "TLS is required: send STARTTLS first");
    else if (m == MOX_SASL_EXTERNAL)
        mox__smtp_reply(s, 535, "5.7.8", "no certificate was shown");
    else
        mox__smtp_reply(s, 504, "5.5.4", "this mechanism cannot be used on this connection");
}

static void begin(struct mox_smtp_server *s, enum mox_sasl_mechanism m, struct mox_slice rest)
{
    mox__smtp_login_begins(s);
    if (!mox__smtp_auth_begin(s, m))
        mox__smtp_auth_out_of_memory(s);
    else if (rest.len > 0)
        initial_response(s, rest);
    else
        mox__smtp_auth_step(s, slice(NULL, 0));
}

void mox__smtp_cmd_auth(struct mox_smtp_server *s, struct mox_slice args)
{
    if (!is_possible(s))
        return;
    struct mox_slice name = slice_from(args, args.len > 0), rest;
    const uint8_t *space = name.len == 0 ? NULL : memchr(name.data, ' ', name.len);
    rest = slice(NULL, 0);
    if (space != NULL) {
        rest = slice_from(name, (size_t)(space - name.data));
        name.len -= rest.len;
    }
    enum mox_sasl_mechanism m = mox_sasl_mechanism(name);
    if (name.len == 0)
        mox__smtp_bad_syntax(s, args, "use AUTH mechanism");
    else if ((s->config.mechanisms & (unsigned)m) == 0)
        mox__smtp_reply(s, 504, "5.5.4", "unknown mechanism");
    else if ((mox__smtp_auth_offered(s) & (unsigned)m) == 0)
        refuse_mechanism(s, m);
    else
        begin(s, m, rest);
}
