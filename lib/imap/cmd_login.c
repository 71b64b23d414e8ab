/* SPDX-License-Identifier: MIT */
#include "imap/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/mem.h"
#include "imap/capability.h"
#include "sasl/sasl.h"

/* STARTTLS, LOGIN, AUTHENTICATE: how a session gets its user. */

struct login {
    const char *mechanism;     /* for the log */
    char *username, *password; /* in the arena, wiped when the answer is there */
    struct sasl sasl;
    struct mox_slice response; /* of the client, decoded; borrows from `decoded` */
    struct buf decoded;
    bool aborted, malformed; /* what the client sent instead of a response */
    bool asked;              /* the host was asked */
    int status;              /* and this is its answer */
    struct mox_mailstore store;
    struct mox_error error;
};

enum step mox__cmd_starttls(struct mox_imap_server *s, struct command *c)
{
    if (s->peer.tls)
        return mox__imap_bad(c, NULL, "TLS is active already");
    if (!s->config.starttls)
        return mox__imap_bad(c, NULL, "TLS is not available");
    /* The number leads from a client's log to the lines of this connection in ours. */
    char text[64];
    (void)snprintf(text, sizeof text, "begin TLS now, connection %" PRIx64, s->peer.cid);
    char *kept = mox__arena_strndup(&c->arena, text, strlen(text));
    if (kept == NULL)
        return mox__imap_fail(c, MOX_ENOMEM);
    s->starttls_due = true;
    return mox__imap_ok(c, NULL, kept);
}

/* --- what both ways have in common --- */

static struct login *login_new(struct mox_imap_server *s, struct command *c)
{
    struct login *login = arena_new(&c->arena, struct login, 1);
    c->data = login;
    if (login != NULL)
        mox__buf_init(&login->decoded, &s->env, SASL_RESPONSE_MAX + 1);
    return login;
}

static void wipe(char *text)
{
    if (text != NULL)
        mox__wipe(text, strlen(text));
}

static void forget(struct login *login)
{
    wipe(login->username);
    wipe(login->password);
    if (login->decoded.data != NULL)
        mox__wipe(login->decoded.data, login->decoded.cap);
    mox__buf_free(&login->decoded);
    mox__sasl_end(&login->sasl);
}

void mox__cleanup_login(struct mox_imap_server *s, struct command *c)
{
    struct login *login = c->data;
    if (login == NULL)
        return;
    forget(login);
    /* The host has answered, and nobody took the store. */
    if (login->asked && login->status == MOX_OK && !s->have_store && login->store.ops != NULL &&
        login->store.ops->close != NULL)
        login->store.ops->close(login->store.self);
}

static enum step privacy_required(struct command *c)
{
    return mox__imap_no(c, "PRIVACYREQUIRED", "start TLS first");
}

/* OK [CAPABILITY …]: saves the client a command (RFC 3501 §6.2.2). */
static enum step logged_in(struct mox_imap_server *s, struct command *c)
{
    struct buf text;
    mox__buf_init(&text, &s->env, 4096);
    mox__imap_put_capabilities(s, &text);
    char *code = text.failed ? NULL : mox__arena_strndup(&c->arena, text.data, text.len);
    mox__buf_free(&text);
    return code == NULL ? mox__imap_fail(c, MOX_ENOMEM) : mox__imap_ok(c, code, NULL);
}

static enum step accept_user(struct mox_imap_server *s, struct command *c, struct login *login)
{
    struct mox_error err = {0};
    s->store = login->store;
    s->have_store = true;
    int rc = s->store.ops->mailboxes(s->store.self, &s->mailboxes, &err);
    if (rc < 0) {
        if (s->store.ops->close != NULL)
            s->store.ops->close(s->store.self);
        s->have_store = false;
        login->status = MOX_EIO;
        mox__imap_login_undone(s);
        return mox__imap_no_status(s, c, rc, &err);
    }
    s->state = ST_AUTHENTICATED;
    mox__imap_login_succeeded(s);
    log_line(&s->env, MOX_LOG_INFO, "imapserver", "login", NULL, F_HEX("cid", s->peer.cid),
             F_TEXT("mechanism", login->mechanism), F_TEXT("result", "ok"));
    return logged_in(s, c);
}

/* The same line as in SMTP, and only one, for programs that block addresses. */
static void log_failure(struct mox_imap_server *s, const struct login *login)
{
    bool denied = login->status == MOX_EDENIED;
    const char *problem = denied                        ? NULL
                          : login->error.text[0] != '\0' ? login->error.text
                                                        : mox_status_text(login->status);
    bool decided = denied || login->status == MOX_EREFUSED;
    log_line(&s->env, decided ? MOX_LOG_INFO : MOX_LOG_ERROR, "imapserver",
             "failed authentication attempt", problem, F_HEX("cid", s->peer.cid),
             F_TEXT("remote", s->peer.remote_ip), F_TEXT("mechanism", login->mechanism),
             F_TEXT("username", login->username), F_TEXT("result", denied ? "badcreds" : "error"));
}

static enum step judge(struct mox_imap_server *s, struct command *c, struct login *login)
{
    if (login->status < 0)
        log_failure(s, login);
    forget(login);
    if (login->status == MOX_OK)
        return accept_user(s, c, login);
    if (login->status == MOX_EDENIED)
        return mox__imap_no(c, "AUTHENTICATIONFAILED", "bad credentials");
    mox__imap_login_undone(s);
    /* An account that may not log in now: the host's words, and no code, so that clients do not ask
     * for the password again. */
    if (login->status == MOX_EREFUSED && login->error.text[0] != '\0')
        return mox__imap_no(c, NULL, login->error.text);
    return mox__imap_no(c, NULL, "cannot log in at the moment, try again later");
}

/* Asks the host, once, and judges its answer. */
static enum step verify(struct mox_imap_server *s, struct command *c, struct login *login)
{
    if (login->asked)
        return login->status == MOX_LATER ? STEP_CALL : judge(s, c, login);
    login->asked = true;
    if (!mox__slice_is_utf8(slice_of(login->username)) ||
        !mox__slice_is_utf8(slice_of(login->password)))
        login->status = MOX_EDENIED; /* no account has such a name or password */
    else
        login->status = s->callbacks->login(s->user, login->username, login->password,
                                            &login->store, &login->error);
    return login->status == MOX_LATER ? STEP_CALL : judge(s, c, login);
}

int mox_imap_server_login(struct mox_imap_server *s, int status, const struct mox_mailstore *store,
                          const struct mox_error *err)
{
    struct login *login = s->cmd.data;
    if (!s->cmd_open || s->waiting != STEP_CALL || login == NULL || !login->asked)
        return MOX_EINVAL;
    login->status = status;
    if (store != NULL)
        login->store = *store;
    if (err != NULL)
        login->error = *err;
    s->called = true;
    mox__imap_pump(s);
    return s->failure;
}

/* --- LOGIN (RFC 3501 §6.2.3) --- */

/* The password is not asked for where it must not travel. */
enum literal mox__literal_login(struct mox_imap_server *s, struct command *c, uint64_t bytes)
{
    (void)bytes;
    if (mox__imap_may_login(s))
        return LITERAL_GATHER;
    (void)privacy_required(c);
    return LITERAL_REFUSE;
}

static bool has_nul(struct mox_slice text)
{
    return text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
}

int mox__parse_login(struct mox_imap_server *s, struct command *c)
{
    struct lexer *l = &c->args;
    struct mox_slice username;
    struct mox_slice password;
    struct login *login = login_new(s, c);
    if (login == NULL)
        return MOX_ENOMEM;
    if (!mox__imap_may_login(s)) {
        (void)privacy_required(c);
        return MOX_OK;
    }
    if (!mox__lex_space(l) || !mox__lex_astring(l, &username) || !mox__lex_space(l) ||
        !mox__lex_astring(l, &password) || !mox__lex_end(l))
        return mox__lex_failure(l);
    if (has_nul(username) || has_nul(password)) {
        l->expected = "name and password without NUL";
        return MOX_ESYNTAX;
    }
    login->mechanism = "login";
    login->username = mox__arena_strndup(&c->arena, username.data, username.len);
    login->password = mox__arena_strndup(&c->arena, password.data, password.len);
    if (password.len > 0) /* in the command's text, or unescaped in its arena: ours both times */
        mox__wipe((void *)(uintptr_t)password.data, password.len);
    return login->username == NULL || login->password == NULL ? MOX_ENOMEM : MOX_OK;
}

enum step mox__cmd_login(struct mox_imap_server *s, struct command *c)
{
    return verify(s, c, c->data);
}

/* --- AUTHENTICATE (RFC 3501 §6.2.2, RFC 4959) --- */

static void take_response(struct login *login, struct mox_slice line)
{
    login->aborted = mox__slice_is(line, "*");
    login->malformed = false;
    mox__buf_clear(&login->decoded);
    if (!login->aborted)
        login->malformed = mox__base64_decode(&login->decoded, line) < 0;
    login->response = slice(login->decoded.data == NULL ? (const uint8_t *)"" : login->decoded.data,
                            login->decoded.len);
}

int mox__parse_authenticate(struct mox_imap_server *s, struct command *c)
{
    struct lexer *l = &c->args;
    struct mox_slice name;
    struct mox_slice initial;
    struct login *login = login_new(s, c);
    if (login == NULL)
        return MOX_ENOMEM;
    if (!mox__lex_space(l) || !mox__lex_atom(l, &name))
        return mox__lex_failure(l);
    login->response = SASL_NO_RESPONSE;
    if (l->at < l->end) {
        if (!mox__lex_space(l) || !mox__lex_rest(l, &initial))
            return mox__lex_failure(l);
        /* "=" stands for an empty response (RFC 4959 §3). */
        take_response(login, mox__slice_is(initial, "=") ? slice_of("") : initial);
    }
    const struct sasl_mechanism *m = mox__sasl_find(name);
    if (m == NULL)
        (void)mox__imap_no(c, NULL, "no such mechanism");
    else if (mox__sasl_is_clear_text(m) && !mox__imap_may_login(s))
        (void)privacy_required(c);
    else
        mox__sasl_start(&login->sasl, &s->env, m);
    login->mechanism = m == NULL ? "" : mox__sasl_name(m);
    return MOX_OK;
}

void mox__answer_authenticate(struct mox_imap_server *s, struct command *c, struct mox_slice line)
{
    (void)s;
    take_response(c->data, line);
}

static enum step challenge(struct mox_imap_server *s, struct mox_slice text)
{
    mox__imap_put(s, "+ ");
    mox__base64_encode(&s->out, text);
    mox__imap_put(s, "\r\n");
    s->reader = READ_ANSWER;
    return STEP_CALL;
}

enum step mox__cmd_authenticate(struct mox_imap_server *s, struct command *c)
{
    struct login *login = c->data;
    struct mox_slice text;
    if (login->username != NULL)
        return verify(s, c, login);
    if (login->aborted)
        return mox__imap_bad(c, NULL, "given up");
    if (login->malformed)
        return mox__imap_bad(c, NULL, "expected base64");
    switch (mox__sasl_step(&login->sasl, login->response, &text)) {
    case SASL_CHALLENGE:
        return challenge(s, text);
    case SASL_PASSWORD:
        break;
    case SASL_MALFORMED:
        return mox__imap_bad(c, NULL, "not a response of this mechanism");
    case SASL_REFUSED:
        return mox__imap_no(c, "AUTHORIZATIONFAILED", "cannot act as somebody else");
    case SASL_FAILED:
        return mox__imap_fail(c, MOX_ENOMEM);
    }
    const char *username = mox__sasl_username(&login->sasl);
    const char *password = mox__sasl_password(&login->sasl);
    login->username = mox__arena_strndup(&c->arena, username, strlen(username));
    login->password = mox__arena_strndup(&c->arena, password, strlen(password));
    if (login->username == NULL || login->password == NULL)
        return mox__imap_fail(c, MOX_ENOMEM);
    return verify(s, c, login);
}
