/* SPDX-License-Identifier: MIT */
#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/text.h"
#include "support/cm.h"
#include "support/sasl_users.h"

/* -- the host -------------------------------------------------------------------------------- */

static int answer(const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    if (q->ask == MOX_SASL_ASK_PASSWORD)
        return strcmp(q->password, "secret") == 0 ? MOX_OK : MOX_EDENIED;
    /* Nobody is logged in by his certificate alone: EXTERNAL is to be tried. */
    if (strcmp(q->mechanism, MOX_SASL_BY_CERTIFICATE) == 0)
        return MOX_EDENIED;
    return sasl_users_answer(q, a);
}

static int imap_auth(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                     struct mox_mailstore *store)
{
    int rc = answer(q, a);
    if (rc == MOX_OK && q->ask != MOX_SASL_ASK_RECORD)
        *store = ((struct play *)user)->store;
    return rc;
}

static int smtp_auth(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    (void)user;
    return answer(q, a);
}

static void wake(void *user)
{
    (void)user;
}

static int rcpt(void *user, const struct mox_smtp_envelope *e, const struct mox_smtp_path *path,
                struct mox_smtp_reply *reply)
{
    (void)user, (void)e, (void)path, (void)reply;
    return MOX_OK;
}

static int data(void *user, struct mox_slice piece, struct mox_smtp_reply *reply)
{
    (void)user, (void)piece, (void)reply;
    return MOX_OK;
}

static int deliver(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    (void)user, (void)e, (void)reply;
    return MOX_OK;
}

static const struct mox_imap_server_callbacks imap_callbacks = {
    .size = sizeof imap_callbacks, .auth = imap_auth, .wake = wake};
static const struct mox_smtp_server_callbacks smtp_callbacks = {.size = sizeof smtp_callbacks,
                                                                .auth = smtp_auth,
                                                                .rcpt = rcpt,
                                                                .data = data,
                                                                .deliver = deliver};

static void open_imap(struct play *p, const struct mox_peer *peer)
{
    struct mox_imap_server_config config;
    mox_imap_server_config_init(&config);
    config.mechanisms = ~0u;
    config.login_delay_us = 0;
    assert_int_equal(mox_imap_server_new(&p->imap, &p->t.env, &config, peer, &imap_callbacks, p),
                     MOX_OK);
    p->e = mox_imap_server_engine(p->imap);
}

static void open_smtp(struct play *p, const struct mox_peer *peer)
{
    struct mox_smtp_server_config config;
    mox_smtp_server_config_init(&config);
    config.mode = MOX_SMTP_SUBMISSION;
    config.hostname = "mx.example";
    config.mechanisms = ~0u;
    config.login_delay_us = 0;
    assert_int_equal(mox_smtp_server_new(&p->smtp, &p->t.env, &config, peer, &smtp_callbacks, p),
                     MOX_OK);
    p->e = mox_smtp_server_engine(p->smtp);
}

/* -- the dialogue ---------------------------------------------------------------------------- */

static void keep_answer(struct play *p, struct mox_slice said)
{
    while (said.len > 0) {
        const uint8_t *end = memchr(said.data, '\n', said.len);
        size_t len = end == NULL ? said.len : (size_t)(end - said.data) + 1;
        struct mox_slice line = mox__slice_trim(slice(said.data, len));
        assert_true(line.len < sizeof p->answer);
        memcpy(p->answer, line.data, line.len);
        p->answer[line.len] = '\0';
        said = slice_from(said, len);
    }
}

static void settle(struct play *p)
{
    const struct mox_engine *e = &p->e;
    for (;;) {
        const uint8_t *out;
        size_t n = e->ops->output(e->self, &out);
        if (n > 0) {
            keep_answer(p, slice(out, n));
            e->ops->sent(e->self, n);
        } else if ((e->ops->wants(e->self) & MOX_WANTS_RUN) == 0 || e->ops->run(e->self) < 0) {
            return;
        }
    }
}

void play_say(struct play *p, const char *line)
{
    struct buf text;
    mox__buf_init(&text, &p->t.env, 65536);
    mox__buf_printf(&text, "%s\r\n", line);
    assert_false(text.failed);
    for (size_t at = 0; at < text.len; at += p->step) {
        size_t n = text.len - at < p->step ? text.len - at : p->step;
        if ((p->e.ops->wants(p->e.self) & MOX_WANTS_READ) == 0)
            break;
        (void)p->e.ops->input(p->e.self, text.data + at, n);
        settle(p);
    }
    mox__buf_free(&text);
}

void play_open(struct play *p, bool imap, enum mox_log_level level, size_t step)
{
    *p = (struct play){.step = step};
    struct mox_peer peer = {.size = sizeof peer, .remote_ip = "192.0.2.1", .cid = 31, .tls = true};
    test_env_init(&p->t);
    p->t.log_level = level;
    sasl_users_tls(&p->tls, true);
    peer.tls_info = p->tls;
    assert_int_equal(mox_memory_mailstore_new(&p->store, &p->t.env), MOX_OK);
    if (imap)
        open_imap(p, &peer);
    else
        open_smtp(p, &peer);
    settle(p);
    if (!imap)
        play_say(p, "EHLO client.example");
}

void play_close(struct play *p)
{
    p->e.ops->free(p->e.self);
    mox_memory_mailstore_free(&p->store);
    for (size_t i = 0; i < p->hidden_count; i++)
        free(p->hidden[i]);
    test_env_done(&p->t);
}

bool play_logged(const struct play *p, const char *text)
{
    return p->t.log != NULL && strstr(p->t.log, text) != NULL;
}

/* -- our client ------------------------------------------------------------------------------ */

/* What is shorter stands elsewhere too. */
#define TELLING 8

static void hide(struct play *p, const char *text)
{
    if (strlen(text) < TELLING)
        return;
    assert_true(p->hidden_count < sizeof p->hidden / sizeof p->hidden[0]);
    p->hidden[p->hidden_count++] = strdup(text);
}

/* The challenge that the server has sent; false: there is none. */
static bool challenge(struct play *p, struct buf *out)
{
    const char *text = p->answer;
    mox__buf_clear(out);
    if (strncmp(text, "334", 3) != 0 && *text != '+')
        return false;
    text += *text == '+' ? 1 : 3;
    text += *text == ' ';
    hide(p, text);
    mox__buf_append(out, "", 0);
    return mox__base64_decode(out, slice_of(text)) == MOX_OK;
}

static void respond(struct play *p, struct mox_slice response)
{
    char text[8192];
    mox__base64_text(text, sizeof text, response);
    hide(p, text);
    play_say(p, text);
}

static void begin(struct play *p, enum mox_sasl_mechanism m, const struct mox_slice *initial)
{
    char line[8192], text[4096] = "";
    if (initial != NULL && initial->len == 0)
        strcpy(text, "=");
    else if (initial != NULL)
        mox__base64_text(text, sizeof text, *initial);
    hide(p, text);
    (void)snprintf(line, sizeof line, "%s %s%s%s", p->imap != NULL ? "t authenticate" : "AUTH",
                   mox_sasl_mechanism_name(m), initial != NULL ? " " : "", text);
    play_say(p, line);
}

void play_log_in(struct play *p, enum mox_sasl_mechanism m, bool initial, const char *password,
                 const char *token)
{
    struct mox_sasl_client_config config;
    struct mox_sasl_client *c = NULL;
    struct mox_slice response;
    struct buf said;
    mox_sasl_client_config_init(&config);
    config.username = "u@example.org";
    config.password = password;
    config.token = token;
    config.tls = &p->tls;
    mox__buf_init(&said, &p->t.env, 16384);
    assert_int_equal(mox_sasl_client_new(&c, &p->t.env, m, ~0u, &config), MOX_OK);
    assert_int_equal(mox_sasl_client_step(c, slice(NULL, 0), &response), MOX_OK);
    begin(p, m, initial && response.data != NULL ? &response : NULL);
    if (!initial && response.data != NULL && challenge(p, &said))
        respond(p, response);
    while (challenge(p, &said)) {
        struct mox_slice text =
            slice(said.data == NULL ? (const uint8_t *)"" : said.data, said.len);
        if (mox_sasl_client_step(c, text, &response) == MOX_OK)
            respond(p, response);
        else
            play_say(p, "*");
    }
    mox__buf_free(&said);
    mox_sasl_client_free(c);
}
