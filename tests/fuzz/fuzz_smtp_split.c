/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <mox/smtp_server.h>

#include "support/sasl_users.h"
#include "support/testenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What the server says, and what it hands to the host, does not depend on how reads are split.
 * Input: size of reads, settings, and the client's bytes, which are played whole and in pieces. */

struct bytes {
    uint8_t *data;
    size_t len;
};

struct host {
    struct mox_smtp_server *s;
    struct test_env t;
    struct bytes said, delivered;
    uint8_t content[1000];
    size_t content_len;
};

static void note(struct bytes *b, const void *data, size_t len)
{
    b->data = realloc(b->data, b->len + len + 1);
    assert(b->data != NULL);
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
}

static void assert_equal(struct bytes *a, struct bytes *b)
{
    assert(a->len == b->len);
    assert(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
    free(a->data);
    free(b->data);
}

/* By what was asked, so that both plays get the same answers. */
static int judge(const char *text)
{
    unsigned sum = 0;
    for (; *text != '\0'; text++)
        sum = sum * 31 + (uint8_t)*text;
    return sum % 5 == 4 ? MOX_EREFUSED : MOX_OK;
}

static int on_auth(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    (void)user;
    if (q->ask != MOX_SASL_ASK_PASSWORD)
        return sasl_users_answer_now(q, a);
    return judge(q->username) < 0 ? MOX_EDENIED : judge(q->password);
}

static int on_mail(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    ((struct host *)user)->content_len = 0;
    (void)reply;
    return judge(e->mail_from.localpart);
}

static int on_rcpt(void *user, const struct mox_smtp_envelope *e, const struct mox_smtp_path *path,
                   struct mox_smtp_reply *reply)
{
    (void)user;
    (void)e;
    (void)reply;
    return judge(path->localpart);
}

static int on_data(void *user, struct mox_slice piece, struct mox_smtp_reply *reply)
{
    struct host *h = user;
    (void)reply;
    assert(piece.len <= sizeof h->content - h->content_len);
    memcpy(h->content + h->content_len, piece.data, piece.len);
    h->content_len += piece.len;
    return MOX_OK;
}

static int on_deliver(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    struct host *h = user;
    (void)reply;
    note(&h->delivered, h->content, h->content_len);
    note(&h->delivered, e->has_8bit ? "8" : "7", 1);
    note(&h->delivered, e->has_body ? "b" : "h", 1);
    return judge(e->mail_from.domain);
}

static const struct mox_smtp_server_callbacks callbacks = {.size = sizeof callbacks,
                                                           .auth = on_auth,
                                                           .mail = on_mail,
                                                           .rcpt = on_rcpt,
                                                           .data = on_data,
                                                           .deliver = on_deliver};

/* Until more input is wanted; the time passes for which a login waits. */
static void drain(struct host *h)
{
    const uint8_t *out;
    size_t n;
    do {
        while ((n = mox_smtp_server_output(h->s, &out)) > 0) {
            note(&h->said, out, n);
            mox_smtp_server_sent(h->s, n);
        }
        if (mox_smtp_server_wants(h->s) == 0) {
            h->t.monotonic_us = mox_smtp_server_deadline(h->s);
            (void)!mox_smtp_server_tick(h->s);
        }
    } while ((mox_smtp_server_wants(h->s) & MOX_WANTS_WRITE) != 0);
}

static void play(struct host *h, uint8_t bits, const uint8_t *data, size_t len, size_t step)
{
    static const struct mox_peer peer = {.size = sizeof peer, .remote_ip = "192.0.2.1"};
    struct mox_smtp_server_config config;
    mox_smtp_server_config_init(&config);
    config.hostname = "mx.example";
    config.max_message_bytes = sizeof h->content;
    config.mode = (bits & 1) != 0 ? MOX_SMTP_SUBMISSION : MOX_SMTP_DELIVERY;
    config.auth_without_tls = true;
    config.pedantic = (bits & 2) != 0;
    config.mechanisms = ~0u;
    test_env_init(&h->t);
    h->t.log_level = MOX_LOG_ERROR;
    assert(mox_smtp_server_new(&h->s, &h->t.env, &config, &peer, &callbacks, h) == MOX_OK);
    drain(h);
    for (size_t at = 0; at < len && (mox_smtp_server_wants(h->s) & MOX_WANTS_READ) != 0;
         at += step) {
        (void)!mox_smtp_server_input(h->s, data + at, len - at < step ? len - at : step);
        drain(h);
    }
    note(&h->said, (mox_smtp_server_wants(h->s) & MOX_WANTS_CLOSE) != 0 ? "C" : "O", 1);
    mox_smtp_server_free(h->s);
    test_env_done(&h->t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct host whole = {0}, pieces = {0};
    if (len < 3 || len > MOX_INPUT_MAX)
        return 0;
    play(&whole, data[1], data + 2, len - 2, len - 2);
    play(&pieces, data[1], data + 2, len - 2, (size_t)data[0] + 1);
    assert_equal(&whole.said, &pieces.said);
    assert_equal(&whole.delivered, &pieces.delivered);
    return 0;
}
