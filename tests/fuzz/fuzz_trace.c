/* SPDX-License-Identifier: MIT */

/* A password that a client sends to log in is never in the log, not in clear and not in base64, in
 * whatever state the session is and however its bytes arrive. Input: the protocol and its state, a way
 * to log in, how it is cut, and lines that come before and behind. */

#include <mox/imap_server.h>
#include <mox/smtp_server.h>

#include "fuzz/input.h"
#include "support/sasl_users.h"
#include "support/testenv.h"

#define SECRET        "pa55-w0rd_S3cret"
#define SECRET_BASE64 "cGE1NS13MHJkX1MzY3JldA=="     /* the password alone: LOGIN */
#define PLAIN_BASE64  "AHUAcGE1NS13MHJkX1MzY3JldA==" /* NUL u NUL password */
#define SHOWN_BASE64  "MHJkX1MzY3JldA"               /* in both */
/* Responses of mechanisms that send no password, with it where their secrets are. */
#define CRAM_BASE64  "dXUg" SECRET_BASE64         /* uu password */
#define FIRST_BASE64 "biwsbj11LHI9" SECRET_BASE64 /* n,,n=u,r=password */
#define FINAL_BASE64 "Yz1iaXdzLHI9" SECRET_BASE64 /* c=biws,r=password */
#define TOKEN_BASE64                                                                               \
    "bixhPXV1dSwBYXV0aD1CZWFyZXIg" SECRET_BASE64    /* n,a=uuu, auth=Bearer password */
#define SCRAM_BASE64 "biwsbj11LHI9YWJjZGVmZ2hpag==" /* n,,n=u,r=abcdefghij */

/* What a client sends to log in. In the middle of each the server may have refused already. */
static const char *const imap_logins[] = {
    "t login u " SECRET "\r\n",
    "t LOGIN \"u\" \"" SECRET "\"\r\n",
    "t login {1}\r\nu {16}\r\n" SECRET "\r\n",
    "t login {1+}\r\nu {16+}\r\n" SECRET "\r\n",
    "t login u {16+}\r\n" SECRET " too much\r\n",
    "t login u " SECRET " too much\r\n",
    "t login nobody\x80 " SECRET "\r\n",
    "t login \"u\\\"\" \"" SECRET "\r\n",
    "t authenticate plain " PLAIN_BASE64 "\r\n",
    "t authenticate plain\r\n" PLAIN_BASE64 "\r\n",
    "t authenticate PLAIN  " PLAIN_BASE64 "\r\n",
    "t authenticate login\r\ndQ==\r\n" SECRET_BASE64 "\r\n",
    "t authenticate login dQ==\r\n" SECRET_BASE64 "\r\n",
    "t authenticate nosuch " PLAIN_BASE64 "\r\n",
    "t authenticate plain\r\n" PLAIN_BASE64 "=\r\n",
    "t login u " SECRET "\n",
    "t authenticate cram-md5\r\n" CRAM_BASE64 "\r\n",
    "t authenticate scram-sha-256 " FIRST_BASE64 "\r\n",
    "t authenticate scram-sha-1 " SCRAM_BASE64 "\r\n" FINAL_BASE64 "\r\n",
    "t authenticate scram-sha-256-plus\r\n" FIRST_BASE64 "\r\n" FINAL_BASE64 "\r\n",
    "t authenticate oauthbearer " TOKEN_BASE64 "\r\nAQ==\r\n",
    "t authenticate oauthbearer\r\n" TOKEN_BASE64 "\r\n",
};
static const char *const smtp_logins[] = {
    "AUTH PLAIN " PLAIN_BASE64 "\r\n",
    "auth plain\r\n" PLAIN_BASE64 "\r\n",
    "AUTH LOGIN\r\ndQ==\r\n" SECRET_BASE64 "\r\n",
    "AUTH LOGIN dQ==\r\n" SECRET_BASE64 "\r\n",
    "AUTH PLAIN  " PLAIN_BASE64 "\r\n",
    "AUTH PLAIN " PLAIN_BASE64 " too much\r\n",
    "AUTH NOSUCH " PLAIN_BASE64 "\r\n",
    "AUTH NOSUCH\r\n" PLAIN_BASE64 "\r\n",
    "AUTH " PLAIN_BASE64 "\r\n",
    "AUTH PLAIN\r\n" PLAIN_BASE64 "=\r\n",
    "AUTH\tPLAIN " PLAIN_BASE64 "\r\n",
    "AUTH PLAIN\t" PLAIN_BASE64 "\r\n",
    "AUTH PLAIN " PLAIN_BASE64 "\n",
    "AUTH CRAM-MD5\r\n" CRAM_BASE64 "\r\n",
    "AUTH CRAM-MD5 " CRAM_BASE64 "\r\n",
    "auth scram-sha-256 " FIRST_BASE64 "\r\n",
    "AUTH SCRAM-SHA-1 " SCRAM_BASE64 "\r\n" FINAL_BASE64 "\r\n",
    "AUTH SCRAM-SHA-256-PLUS\r\n" FIRST_BASE64 "\r\n" FINAL_BASE64 "\r\n",
    "AUTH OAUTHBEARER " TOKEN_BASE64 "\r\nAQ==\r\n",
    "AUTH OAUTHBEARER\r\n" TOKEN_BASE64 "\r\n",
};

struct session {
    struct test_env t;
    struct mox_mailstore store;
    struct mox_engine e;
    struct mox_smtp_server *smtp;
    struct mox_imap_server *imap;
    uint8_t settings;
};

static int imap_login(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                      struct mox_mailstore *store)
{
    struct session *s = user;
    if (q->ask != MOX_SASL_ASK_PASSWORD) {
        int rc = sasl_users_answer(q, a);
        if (rc == MOX_OK && q->ask != MOX_SASL_ASK_RECORD)
            *store = s->store;
        return rc;
    }
    if ((s->settings & 1) != 0 || strcmp(q->password, SECRET) != 0)
        return MOX_EDENIED;
    *store = s->store;
    return MOX_OK;
}

static void wake(void *user)
{
    (void)user;
}

static int smtp_auth(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    struct session *s = user;
    if (q->ask != MOX_SASL_ASK_PASSWORD)
        return sasl_users_answer(q, a);
    if ((s->settings & 2) != 0)
        return MOX_EIO;
    return (s->settings & 1) != 0 || strcmp(q->password, SECRET) != 0 ? MOX_EDENIED : MOX_OK;
}

static int smtp_rcpt(void *user, const struct mox_smtp_envelope *e,
                     const struct mox_smtp_path *path, struct mox_smtp_reply *reply)
{
    (void)user;
    (void)e;
    (void)path;
    (void)reply;
    return MOX_OK;
}

static int smtp_data(void *user, struct mox_slice piece, struct mox_smtp_reply *reply)
{
    (void)user;
    (void)piece;
    (void)reply;
    return MOX_OK;
}

static int smtp_deliver(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    (void)user;
    (void)e;
    (void)reply;
    return MOX_OK;
}

static const struct mox_imap_server_callbacks imap_callbacks = {
    .size = sizeof imap_callbacks, .auth = imap_login, .wake = wake};
static const struct mox_smtp_server_callbacks smtp_callbacks = {.size = sizeof smtp_callbacks,
                                                                .auth = smtp_auth,
                                                                .rcpt = smtp_rcpt,
                                                                .data = smtp_data,
                                                                .deliver = smtp_deliver};

static void open_session(struct session *s, bool imap)
{
    struct mox_peer peer = {.size = sizeof peer, .remote_ip = "192.0.2.1"};
    peer.tls = (s->settings & 64) != 0;
    if (peer.tls)
        sasl_users_tls(&peer.tls_info, (s->settings & 128) != 0);
    if (imap) {
        struct mox_imap_server_config config;
        mox_imap_server_config_init(&config);
        config.auth_without_tls = (s->settings & 4) == 0;
        config.pedantic = (s->settings & 8) != 0;
        config.mechanisms = ~0u;
        assert(mox_imap_server_new(&s->imap, &s->t.env, &config, &peer, &imap_callbacks, s) ==
               MOX_OK);
        s->e = mox_imap_server_engine(s->imap);
        return;
    }
    struct mox_smtp_server_config config;
    mox_smtp_server_config_init(&config);
    config.hostname = "mx.example";
    config.mode = (s->settings & 16) != 0 ? MOX_SMTP_DELIVERY : MOX_SMTP_SUBMISSION;
    config.auth_without_tls = (s->settings & 4) == 0;
    config.pedantic = (s->settings & 8) != 0;
    config.mechanisms = ~0u;
    assert(mox_smtp_server_new(&s->smtp, &s->t.env, &config, &peer, &smtp_callbacks, s) == MOX_OK);
    s->e = mox_smtp_server_engine(s->smtp);
}

static void pass_time(struct session *s)
{
    s->t.monotonic_us = s->e.ops->deadline(s->e.self);
    (void)s->e.ops->tick(s->e.self);
}

/* Until more input is wanted; the time passes for which a login waits. */
static void settle(struct session *s)
{
    const struct mox_engine *e = &s->e;
    for (;;) {
        const uint8_t *out;
        unsigned wants = e->ops->wants(e->self);
        size_t n = e->ops->output(e->self, &out);
        if (n > 0)
            e->ops->sent(e->self, n);
        else if (wants == 0 || (wants & MOX_WANTS_APP) != 0)
            pass_time(s);
        else if ((wants & MOX_WANTS_RUN) == 0 || e->ops->run(e->self) < 0)
            return;
    }
}

static void feed(struct session *s, struct mox_slice text, size_t step)
{
    settle(s);
    while (text.len > 0 && (s->e.ops->wants(s->e.self) & MOX_WANTS_READ) != 0) {
        size_t n = text.len < step ? text.len : step;
        (void)s->e.ops->input(s->e.self, text.data, n);
        (void)s->e.ops->woken(s->e.self);
        settle(s);
        text = slice_from(text, n);
    }
}

/* Lines before and behind are whole, without literals and chunks: the log-in stands at the start of a
 * line. */
static void feed_lines(struct session *s, struct mox_slice text, size_t step)
{
    struct buf lines;
    mox__buf_init(&lines, &s->t.env, SIZE_MAX / 2);
    for (size_t i = 0; i < text.len; i++) {
        bool opens = text.data[i] == '{' || mox__slice_starts_nocase(slice_from(text, i), "BDAT");
        mox__buf_byte(&lines, opens ? 'x' : text.data[i]);
    }
    mox__buf_text(&lines, lines.len > 0 ? "\r\n" : "");
    if (lines.len > 0)
        feed(s, buf_bytes(&lines), step);
    mox__buf_free(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct session s = {.settings = 0};
    struct input in = {{data, len}};
    /* The fuzzer learns it, and then it stands where it may be shown. */
    if (data == NULL || len == 0 || memmem(data, len, SECRET, strlen(SECRET)) != NULL ||
        memmem(data, len, SHOWN_BASE64, strlen(SHOWN_BASE64)) != NULL)
        return 0;
    bool imap = input_byte(&in) % 2 == 0;
    s.settings = input_byte(&in);
    unsigned way = input_byte(&in);
    size_t step = (size_t)input_byte(&in) + 1;
    test_env_init(&s.t); /* its log shows trace, and nothing finer */
    assert(mox_memory_mailstore_new(&s.store, &s.t.env) == MOX_OK);
    open_session(&s, imap);
    if (!imap && (s.settings & 32) == 0)
        feed(&s, slice_of("EHLO client.example\r\n"), step);
    feed_lines(&s, input_until(&in, 0), step);
    const char *login = imap ? imap_logins[way % (sizeof imap_logins / sizeof imap_logins[0])]
                             : smtp_logins[way % (sizeof smtp_logins / sizeof smtp_logins[0])];
    feed(&s, slice_of(login), step);
    feed_lines(&s, in.rest, step);
    s.e.ops->free(s.e.self);
    assert(s.t.log == NULL || strstr(s.t.log, SECRET) == NULL);
    assert(s.t.log == NULL || strstr(s.t.log, SHOWN_BASE64) == NULL);
    mox_memory_mailstore_free(&s.store);
    test_env_done(&s.t);
    return 0;
}
