/* SPDX-License-Identifier: MIT */

/* What the IMAP server says does not depend on how reads are split, nor on how much of an answer fits
 * in its output. Input: size of reads, settings, and the client's bytes, which are played whole and
 * in pieces over stores of their own. */

#include <mox/imap_server.h>
#include <stdlib.h>

#include "fuzz/input.h"
#include "support/sasl_users.h"
#include "support/testenv.h"

struct play {
    struct test_env t;
    struct mox_mailstore store;
    struct mox_imap_server *s;
    bool woken;
    struct buf said;
};

static int login(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                 struct mox_mailstore *store)
{
    int rc = MOX_EDENIED;
    if (q->ask != MOX_SASL_ASK_PASSWORD)
        rc = sasl_users_answer_now(q, a);
    else if (strcmp(q->username, "u") == 0 && strcmp(q->password, "p") == 0)
        rc = MOX_OK;
    if (rc == MOX_OK && q->ask != MOX_SASL_ASK_RECORD)
        *store = ((struct play *)user)->store;
    return rc;
}

static void wake(void *user)
{
    ((struct play *)user)->woken = true;
}

static const struct mox_imap_server_callbacks callbacks = {
    .size = sizeof callbacks, .auth = login, .wake = wake};

static const char *const stages[] = {
    "",
    "a login u p\r\n",
    "a login u p\r\na append inbox (\\Seen k) {29+}\r\nSubject: one\r\nTo: a@b.c\r\n\r\nx\r\n\r\n"
    "a append inbox {31+}\r\nContent-Type: a/b\r\nX: y\r\n\r\ntwo\r\na create A/b\r\n"
    "a select inbox\r\n",
};

/* All that the server wants, but for READ and for time. */
static void settle(struct play *p)
{
    for (;;) {
        const uint8_t *out = NULL;
        unsigned wants = mox_imap_server_wants(p->s);
        size_t len = mox_imap_server_output(p->s, &out);
        if (len > 0) {
            mox__buf_append(&p->said, out, len);
            mox_imap_server_sent(p->s, len);
        } else if (wants & MOX_WANTS_CLOSE) {
            return;
        } else if (p->woken) {
            p->woken = false;
            (void)!mox_imap_server_woken(p->s);
        } else if (wants & MOX_WANTS_RUN) {
            (void)!mox_imap_server_run(p->s);
        } else if (wants & MOX_WANTS_APP) { /* a login waits: its time passes */
            p->t.monotonic_us = mox_imap_server_deadline(p->s);
            (void)!mox_imap_server_tick(p->s);
        } else {
            return;
        }
    }
}

static void feed(struct play *p, const uint8_t *data, size_t len, size_t step)
{
    settle(p);
    for (size_t at = 0; at < len && (mox_imap_server_wants(p->s) & MOX_WANTS_READ) != 0;
         at += step) {
        (void)!mox_imap_server_input(p->s, data + at, len - at < step ? len - at : step);
        settle(p);
    }
}

static void play(struct play *p, struct input in, size_t step, size_t output_bytes)
{
    const struct mox_peer peer = {.size = sizeof peer, .remote_ip = "192.0.2.1"};
    struct mox_imap_server_config config;
    const char *stage = stages[input_below(&in, sizeof stages / sizeof stages[0])];
    test_env_init(&p->t);
    p->t.log_level = MOX_LOG_ERROR;
    mox_imap_server_config_init(&config);
    config.auth_without_tls = true;
    config.max_append_bytes = 10000;
    config.mechanisms = ~0u;
    config.max_output_bytes = output_bytes;
    mox__buf_init(&p->said, &p->t.env, SIZE_MAX / 2);
    assert(mox_memory_mailstore_new(&p->store, &p->t.env) == MOX_OK);
    assert(mox_imap_server_new(&p->s, &p->t.env, &config, &peer, &callbacks, p) == MOX_OK);
    feed(p, (const uint8_t *)stage, strlen(stage), SIZE_MAX / 2);
    if (in.rest.len > 0)
        feed(p, in.rest.data, in.rest.len, step);
    mox__buf_text(&p->said, (mox_imap_server_wants(p->s) & MOX_WANTS_CLOSE) != 0 ? "C" : "O");
    mox_imap_server_free(p->s);
    mox_memory_mailstore_free(&p->store);
}

static void done(struct play *p)
{
    mox__buf_free(&p->said);
    test_env_done(&p->t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct play whole = {0}, pieces = {0};
    struct input in = {{data, len}};
    if (len < 3 || len > 8192) /* what may wait while a command is worked on is bounded */
        return 0;
    size_t step = (size_t)input_byte(&in) + 1;
    play(&whole, in, SIZE_MAX / 2, 256 * 1024);
    play(&pieces, in, step, 64);
    assert_same(buf_bytes(&whole.said), buf_bytes(&pieces.said));
    done(&whole);
    done(&pieces);
    return 0;
}
