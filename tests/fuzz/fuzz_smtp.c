/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include <mox/smtp_server.h>

#include "support/sasl_users.h"
#include "support/testenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The SMTP server engine with any bytes, split anywhere, asking a host that answers as the input
 * says: at once, later, yes or no.
 *
 * Input: size of reads, settings, a seed of the answers, and then the client's bytes. */

struct host {
    struct test_env t;
    struct mox_smtp_server *s;
    uint32_t answers; /* a linear congruential generator, seeded by the input */
    bool pending, in_transaction;
    bool asked_auth;      /* what is pending is a question of AUTH */
    const uint8_t *piece; /* that was answered with MOX_LATER, and what it began with */
    uint8_t piece_first;
    size_t recipients;
    uint64_t content;
};

static unsigned draw(struct host *h)
{
    h->answers = h->answers * 1664525 + 1013904223;
    return h->answers >> 24;
}

static int outcome(struct host *h)
{
    static const int outcomes[] = {MOX_OK,       MOX_OK,    MOX_OK,       MOX_OK,
                                   MOX_OK,       MOX_LATER, MOX_LATER,    MOX_LATER,
                                   MOX_EREFUSED, MOX_EIO,   MOX_ENOSPACE, MOX_ENOTFOUND};
    assert(!h->pending); /* one question at a time */
    int rc = outcomes[draw(h) % (sizeof outcomes / sizeof outcomes[0])];
    h->pending = rc == MOX_LATER;
    return rc;
}

static int on_auth(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    assert(strlen(q->username) + strlen(q->password) <= 9216 && a->username[0] == '\0');
    struct host *h = user;
    int rc = outcome(h);
    h->asked_auth = rc == MOX_LATER;
    if (rc == MOX_OK && q->ask != MOX_SASL_ASK_PASSWORD)
        (void)sasl_users_answer_now(q, a);
    return rc;
}

static int on_mail(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    struct host *h = user;
    assert(reply->code == 550 && e->recipient_count == 0 && !h->in_transaction);
    assert(strlen(e->mail_from.domain) <= 253 && *e->hello != '\0');
    h->in_transaction = true;
    h->recipients = 0;
    h->content = 0;
    return outcome(h);
}

static int on_rcpt(void *user, const struct mox_smtp_envelope *e, const struct mox_smtp_path *path,
                   struct mox_smtp_reply *reply)
{
    struct host *h = user;
    assert(reply->code == 550 && h->in_transaction && e->recipient_count < 3);
    assert(path->is_postmaster || *path->domain != '\0');
    return outcome(h);
}

static int on_begin(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    struct host *h = user;
    assert(reply->code == 451 && h->in_transaction && e->recipient_count > 0);
    return outcome(h);
}

static int on_data(void *user, struct mox_slice piece, struct mox_smtp_reply *reply)
{
    struct host *h = user;
    assert(piece.len > 0 && reply->code == 451 && h->in_transaction);
    h->content += piece.len;
    assert(h->content <= 1000); /* what is too large is never handed out */
    int rc = outcome(h);
    h->piece = rc == MOX_LATER ? piece.data : NULL;
    h->piece_first = piece.data[0];
    return rc;
}

static int on_deliver(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    struct host *h = user;
    assert(reply->code == 451 && h->in_transaction && e->recipient_count > 0);
    assert(e->content_bytes == h->content && e->content_bytes <= 1000 && !reply->slow);
    reply->slow = draw(h) % 2 == 0;
    return outcome(h);
}

static void on_reset(void *user)
{
    struct host *h = user;
    assert(h->in_transaction && !h->pending);
    h->in_transaction = false;
}

static const struct mox_smtp_server_callbacks callbacks = {
    .size = sizeof callbacks,
    .auth = on_auth,
    .mail = on_mail,
    .rcpt = on_rcpt,
    .data_begin = on_begin,
    .data = on_data,
    .deliver = on_deliver,
    .reset = on_reset,
};

/* Every line is a code with a space or a hyphen, at most 510 bytes unless it is a challenge,
 * printable, and CRLF. */
static void check_lines(const uint8_t *out, size_t len)
{
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        assert(out[i] >= ' ' || out[i] == '\r' || out[i] == '\n');
        if (out[i] != '\n')
            continue;
        assert(i > start && out[i - 1] == '\r' && i - 1 - start >= 4);
        assert(i - 1 - start <= 510 || memcmp(out + start, "334 ", 4) == 0);
        assert(out[start] >= '2' && out[start] <= '5');
        assert(out[start + 3] == ' ' || out[start + 3] == '-');
        start = i + 1;
    }
    assert(start == len); /* whole lines only */
}

/* A login waits: its time passes. */
static void let_time_pass(struct host *h)
{
    int64_t deadline = mox_smtp_server_deadline(h->s);
    assert(deadline > h->t.monotonic_us && deadline < INT64_MAX);
    assert(mox_smtp_server_pace(h->s) == 1);
    h->t.monotonic_us = deadline;
    (void)!mox_smtp_server_tick(h->s);
    assert(mox_smtp_server_wants(h->s) != 0);
}

/* Sends all output; answers what is pending. */
static void serve(struct host *h)
{
    for (;;) {
        unsigned wants = mox_smtp_server_wants(h->s);
        const uint8_t *out;
        size_t len = mox_smtp_server_output(h->s, &out);
        assert((len > 0) == ((wants & MOX_WANTS_WRITE) != 0));
        check_lines(out, len);
        if (len > 0) {
            mox_smtp_server_sent(h->s, len);
        } else if (wants & MOX_WANTS_CLOSE) {
            return;
        } else if (wants & MOX_WANTS_APP) {
            assert(h->pending && (wants & MOX_WANTS_READ) == 0);
            assert(h->piece == NULL || *h->piece == h->piece_first);
            h->pending = false;
            h->piece = NULL;
            int rc = outcome(h) < 0 ? MOX_EREFUSED : MOX_OK;
            h->pending = false;
            bool asked_auth = h->asked_auth;
            h->asked_auth = false;
            if (asked_auth)
                (void)!mox_smtp_server_auth(h->s, rc, NULL);
            else
                (void)!mox_smtp_server_reply(h->s, rc, NULL);
        } else if (wants & MOX_WANTS_STARTTLS) {
            struct mox_tls_info info = {.size = sizeof info, .version = "TLS1.3"};
            const uint8_t *rest;
            (void)mox_smtp_server_tls_rest(h->s, &rest);
            mox_smtp_server_tls_started(h->s, &info);
        } else if (wants == 0) {
            let_time_pass(h);
        } else {
            assert(wants == MOX_WANTS_READ);
            return;
        }
    }
}

static void configure(struct mox_smtp_server_config *c, uint8_t bits)
{
    mox_smtp_server_config_init(c);
    c->hostname = "mx.example";
    c->max_message_bytes = 1000;
    c->max_recipients = 3;
    c->mode = (bits & 1) != 0 ? MOX_SMTP_SUBMISSION : MOX_SMTP_DELIVERY;
    c->starttls = (bits & 2) != 0;
    c->auth_without_tls = (bits & 4) != 0;
    c->pedantic = (bits & 8) != 0;
    c->tls_required = (bits & 16) != 0;
    c->requiretls = c->future_release = (bits & 32) != 0;
    c->mechanisms = ~0u;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_peer peer = {.size = sizeof peer, .remote_ip = "192.0.2.1"};
    struct mox_smtp_server_config config;
    struct host h = {0};
    if (len < 3)
        return 0;
    test_env_init(&h.t);
    h.t.log_level = MOX_LOG_ERROR;
    configure(&config, data[1]);
    peer.tls = (data[1] & 64) != 0; /* then there is a channel to bind, and perhaps a certificate */
    sasl_users_tls(&peer.tls_info, (data[1] & 128) != 0);
    h.answers = data[2];
    assert(mox_smtp_server_new(&h.s, &h.t.env, &config, &peer, &callbacks, &h) == MOX_OK);
    serve(&h);

    size_t step = (size_t)data[0] + 1;
    for (size_t at = 3; at < len && (mox_smtp_server_wants(h.s) & MOX_WANTS_READ) != 0;
         at += step) {
        size_t n = len - at < step ? len - at : step;
        int rc = mox_smtp_server_input(h.s, data + at, n);
        const uint8_t *out;
        assert(rc == MOX_OK || mox_smtp_server_output(h.s, &out) > 0); /* the client is told why */
        serve(&h);
        assert(mox_smtp_server_deadline(h.s) > h.t.monotonic_us);
    }
    if ((data[1] & 64) != 0)
        mox_smtp_server_eof(h.s);
    else if ((data[1] & 128) != 0)
        mox_smtp_server_shutdown(h.s);
    serve(&h);
    mox_smtp_server_free(h.s);
    assert(!h.in_transaction);
    test_env_done(&h.t);
    return 0;
}
