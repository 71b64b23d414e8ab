/* SPDX-License-Identifier: MIT */
#include "smtp/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cm.h"

static int act(const char *word, struct mox_smtp_reply *reply)
{
    if (strcmp(word, "later") == 0)
        return MOX_LATER;
    if (strcmp(word, "unknown") == 0)
        return MOX_ENOTFOUND;
    if (strcmp(word, "full") == 0)
        return MOX_ENOSPACE;
    if (strcmp(word, "broken") == 0)
        return MOX_EIO;
    if (strcmp(word, "down") == 0) {
        mox_smtp_reply_set(reply, 421, "4.3.2", "%s", "off to bed");
        return MOX_EBUSY;
    }
    if (strcmp(word, "refused") == 0) {
        mox_smtp_reply_set(reply, 554, "5.7.1", "%s", "go away\nand stay there");
        return MOX_EREFUSED;
    }
    if (strcmp(word, "custom") == 0)
        mox_smtp_reply_set(reply, 251, "2.1.5", "%s", "will forward");
    return MOX_OK;
}

/* What the sender's local part asks for at this stage. */
static int act_at(const struct smtp_host *h, const char *stage, struct mox_smtp_reply *reply)
{
    size_t n = strlen(stage);
    if (strncmp(h->sender, stage, n) != 0)
        return MOX_OK;
    return act(h->sender + n, reply);
}

static int check_password(const char *password, struct mox_sasl_answer *a)
{
    if (strcmp(password, "secret") == 0)
        return MOX_OK;
    if (strcmp(password, "later") == 0)
        return MOX_LATER;
    if (strcmp(password, "broken") == 0)
        return MOX_EIO;
    if (strcmp(password, "refused") != 0)
        return MOX_EDENIED;
    strcpy(a->text, "This account is closed until Monday");
    return MOX_EREFUSED;
}

static int on_auth(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    struct smtp_host *h = user;
    assert_int_equal(a->username[0], '\0');
    int rc =
        q->ask == MOX_SASL_ASK_PASSWORD ? check_password(q->password, a) : sasl_users_answer(q, a);
    h->asked = rc == MOX_LATER ? q : NULL;
    return rc;
}

static void on_auth_ended(void *user, const struct mox_sasl_attempt *attempt)
{
    struct smtp_host *h = user;
    h->attempts++;
    h->harmless += attempt->harmless;
    h->last_failure = attempt->failure;
}

static int on_mail(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    struct smtp_host *h = user;
    h->sender = e->mail_from.localpart;
    return act(h->sender, reply);
}

static int on_rcpt(void *user, const struct mox_smtp_envelope *e, const struct mox_smtp_path *path,
                   struct mox_smtp_reply *reply)
{
    (void)user;
    assert_non_null(e->mail_from.address);
    if (strcmp(path->localpart, "show") == 0)
        mox_smtp_reply_set(reply, 250, "2.1.5", "%s at %s/%s helo %s%s", path->localpart,
                           path->domain, path->domain_unicode, e->hello, e->tls ? " tls" : "");
    if (strncmp(path->localpart, "echo", 4) == 0)
        mox_smtp_reply_set(reply, 250, "2.1.5", "[%s] [%s] [%s]", path->address, path->localpart,
                           path->domain);
    return act(path->localpart, reply);
}

static int on_begin(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    struct smtp_host *h = user;
    assert_int_not_equal(e->recipient_count, 0);
    return act_at(h, "begin-", reply);
}

static int on_data(void *user, struct mox_slice piece, struct mox_smtp_reply *reply)
{
    struct smtp_host *h = user;
    assert_int_not_equal(piece.len, 0);
    while (h->content_cap - h->content_len < piece.len) {
        h->content_cap = 2 * h->content_cap + 4096;
        h->content = realloc(h->content, h->content_cap);
        assert_non_null(h->content);
    }
    memcpy(h->content + h->content_len, piece.data, piece.len);
    h->content_len += piece.len;
    h->pieces++;
    return act_at(h, "piece-", reply);
}

static void show(const struct smtp_host *h, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%zu bytes", h->content_len);
    if (h->content_len > 100)
        return;
    n += (size_t)snprintf(out + n, size - n, ": ");
    for (size_t i = 0; i < h->content_len; i++) {
        uint8_t c = h->content[i];
        if (c == '\r' || c == '\n')
            n += (size_t)snprintf(out + n, size - n, "%s", c == '\r' ? "\\r" : "\\n");
        else
            n += (size_t)snprintf(out + n, size - n, c < ' ' || c > '~' ? "\\x%02x" : "%c", c);
    }
}

static int on_deliver(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    struct smtp_host *h = user;
    char text[500];
    assert_int_equal(e->content_bytes, h->content_len);
    show(h, text, sizeof text);
    h->last = *e;
    h->deliveries++;
    int rc = act_at(h, "deliver-", reply);
    if (strstr(h->sender, "junk") != NULL)
        reply->slow = true;
    else if (rc == MOX_OK)
        mox_smtp_reply_set(reply, 250, "2.2.0", "%s%s%s", text, e->has_8bit ? " 8bit" : "",
                           e->has_body ? "" : " nobody");
    return rc;
}

static void on_reset(void *user)
{
    struct smtp_host *h = user;
    h->resets++;
    h->content_len = 0;
    h->sender = "";
}

const struct mox_smtp_server_callbacks smtp_host_callbacks = {
    .size = sizeof smtp_host_callbacks,
    .auth = on_auth,
    .mail = on_mail,
    .rcpt = on_rcpt,
    .data_begin = on_begin,
    .data = on_data,
    .deliver = on_deliver,
    .reset = on_reset,
    .auth_ended = on_auth_ended,
};

void smtp_host_init(struct smtp_host *h)
{
    *h = (struct smtp_host){.sender = ""};
    mox_smtp_server_config_init(&h->config);
    h->config.hostname = "mx.example";
    h->config.login_delay_us = 0;
    memcpy(h->config.received_id_key, "0123456789abcdefRANDOM42", 24);
    h->peer = (struct mox_peer){
        .size = sizeof h->peer, .remote_ip = "192.0.2.1", .local_ip = "198.51.100.1", .cid = 0x1f};
}

void smtp_host_open(struct smtp_host *h)
{
    assert_int_equal(mox_smtp_server_new(&h->server, &h->env->env, &h->config, &h->peer,
                                         &smtp_host_callbacks, h),
                     MOX_OK);
}

void smtp_host_done(struct smtp_host *h)
{
    free(h->content);
    h->content = NULL;
    h->content_len = h->content_cap = 0;
}

/* ---- as the host of a transcript ---- */

static void begin(void *user, struct test_env *env)
{
    struct smtp_host *h = user;
    h->env = env;
    h->sender = "";
    h->content_len = 0;
}

static void open_session(void *user, unsigned number, struct transcript_session *session,
                         struct mox_engine *out)
{
    struct smtp_host *h = user;
    (void)session;
    assert_int_equal(number, 1);
    smtp_host_open(h);
    *out = mox_smtp_server_engine(h->server);
}

/* `ok`, `denied`, or `record`: that of the user in question. */
static void answer_auth(struct smtp_host *h, const char *text)
{
    struct mox_sasl_answer a;
    const struct mox_sasl_question *q = h->asked;
    mox_sasl_answer_init(&a);
    h->asked = NULL;
    if (strcmp(text, "record") == 0)
        sasl_users_record(q->record, &a);
    int rc = strcmp(text, "denied") == 0 ? MOX_EDENIED : MOX_OK;
    assert_int_equal(mox_smtp_server_reply(h->server, rc, NULL), MOX_EINVAL);
    h->status = mox_smtp_server_auth(h->server, rc, &a);
}

/* `ok`, `ok 250 2.1.5 text` or `550 5.1.1 text`, or a word of act(). */
static void answer(void *user, unsigned number, const char *text)
{
    struct smtp_host *h = user;
    struct mox_smtp_reply reply;
    char enhanced[12] = "";
    int code = 0, at = 0;
    (void)number;
    if (h->asked != NULL) {
        answer_auth(h, text);
        return;
    }
    bool ok = strncmp(text, "ok", 2) == 0;
    if (sscanf(text + (ok ? 2 : 0), "%d %11s %n", &code, enhanced, &at) == 2) {
        mox_smtp_reply_set(&reply, code, enhanced, "%s", text + (ok ? 2 : 0) + at);
        h->status = mox_smtp_server_reply(h->server, ok ? MOX_OK : MOX_EREFUSED, &reply);
    } else {
        h->status = mox_smtp_server_reply(h->server, ok ? MOX_OK : act(text, &reply), NULL);
    }
}

void smtp_host_play(struct smtp_host *h, const char *name)
{
    const struct transcript_host host = {
        .user = h, .begin = begin, .open = open_session, .answer = answer, .end = NULL};
    transcript_play(name, &host);
    smtp_host_done(h);
}
