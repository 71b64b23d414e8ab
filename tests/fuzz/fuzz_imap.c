/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include <mox/imap_server.h>

#include "support/sasl_users.h"
#include "support/testenv.h"

/* A client that sends anything, at any state of a session, over a store in memory. The first byte
 * sets the size of reads, the second how far the session has come before. */

static int login(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                 struct mox_mailstore *store)
{
    int rc = MOX_EDENIED;
    if (q->ask != MOX_SASL_ASK_PASSWORD)
        rc = sasl_users_answer_now(q, a);
    else if (strcmp(q->username, "u") == 0 && strcmp(q->password, "p") == 0)
        rc = MOX_OK;
    if (rc == MOX_OK && q->ask != MOX_SASL_ASK_RECORD)
        *store = *(const struct mox_mailstore *)user;
    return rc;
}

static void wake(void *user)
{
    (void)user; /* the loop below asks all the time */
}

static const struct mox_imap_server_callbacks callbacks = {
    .size = sizeof callbacks, .auth = login, .wake = wake};

#define OUTPUT_BYTES 2048
/* One step may go beyond by a line, or by a literal of the small messages that fit in an input. */
#define OUTPUT_SLACK (1024 * 1024)

static void settle(struct mox_imap_server *s, struct test_env *t)
{
    for (;;) {
        const uint8_t *out = NULL;
        size_t len = mox_imap_server_output(s, &out);
        unsigned wants = mox_imap_server_wants(s);
        assert(((wants & MOX_WANTS_WRITE) != 0) == (len > 0));
        assert(len < OUTPUT_BYTES + OUTPUT_SLACK);
        if (len > 0) {
            mox_imap_server_sent(s, len);
        } else if (wants & MOX_WANTS_CLOSE) {
            return;
        } else if (wants & MOX_WANTS_RUN) {
            int rc = mox_imap_server_run(s);
            assert(rc == MOX_OK || (mox_imap_server_wants(s) & MOX_WANTS_CLOSE) != 0);
        } else if (wants & MOX_WANTS_STARTTLS) {
            const struct mox_tls_info info = {.size = sizeof info};
            mox_imap_server_tls_started(s, &info);
        } else if (wants & MOX_WANTS_APP) {
            /* A login waits, for the store in memory leaves nothing pending: its time passes. */
            assert(mox_imap_server_pace(s) == 1 && mox_imap_server_deadline(s) < INT64_MAX);
            assert(mox_imap_server_deadline(s) > t->monotonic_us);
            t->monotonic_us = mox_imap_server_deadline(s);
            (void)!mox_imap_server_tick(s);
        } else {
            assert(wants & MOX_WANTS_READ);
            return;
        }
    }
}

static int feed(struct mox_imap_server *s, struct test_env *t, const uint8_t *data, size_t len)
{
    settle(s, t);
    if ((mox_imap_server_wants(s) & MOX_WANTS_READ) == 0)
        return MOX_EGONE;
    int rc = mox_imap_server_input(s, data, len);
    assert(rc == MOX_OK || (mox_imap_server_wants(s) & MOX_WANTS_CLOSE) != 0);
    if (rc == MOX_OK)
        rc = mox_imap_server_woken(s);
    settle(s, t);
    return rc;
}

static int feed_text(struct mox_imap_server *s, struct test_env *t, const char *text)
{
    return feed(s, t, (const uint8_t *)text, strlen(text));
}

static const char *const stages[] = {
    "",
    "a login u p\r\n",
    "a login u p\r\na append inbox (\\Seen) {29+}\r\nSubject: one\r\nTo: a@b.c\r\n\r\nx\r\n\r\n"
    "a select inbox\r\n",
    "a login u p\r\na append inbox (k) {29+}\r\nSubject: one\r\nTo: a@b.c\r\n\r\nx\r\n\r\n"
    "a examine inbox\r\n",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct test_env t;
    struct mox_mailstore store;
    struct mox_imap_server *s = NULL;
    struct mox_imap_server_config config;
    struct mox_peer peer = {.size = sizeof peer};
    if (len < 2)
        return 0;
    peer.tls = data[1] >= 128; /* then there is a channel to bind, and its certificate is greeted */
    sasl_users_tls(&peer.tls_info, true);
    test_env_init(&t);
    t.log_level = MOX_LOG_ERROR;
    mox_imap_server_config_init(&config);
    config.auth_without_tls = true;
    config.starttls = true;
    config.max_append_bytes = 10000;
    config.mechanisms = ~0u;
    config.max_output_bytes = OUTPUT_BYTES;
    if (mox_memory_mailstore_new(&store, &t.env) < 0)
        return 0;
    if (mox_imap_server_new(&s, &t.env, &config, &peer, &callbacks, &store) == MOX_OK) {
        size_t step = (size_t)data[0] + 1;
        int rc = feed_text(s, &t, stages[data[1] % (sizeof stages / sizeof stages[0])]);
        for (size_t at = 2; rc == MOX_OK && at < len; at += step)
            rc = feed(s, &t, data + at, len - at < step ? len - at : step);
        mox_imap_server_free(s);
    }
    mox_memory_mailstore_free(&store);
    test_env_done(&t);
    return 0;
}
