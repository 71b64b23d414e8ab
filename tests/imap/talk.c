/* SPDX-License-Identifier: MIT */
#include "imap/talk.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"

static int login(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                 struct mox_mailstore *store)
{
    struct talk *t = user;
    (void)q;
    (void)a;
    *store = t->store;
    return MOX_OK;
}

static void wake(void *user)
{
    ((struct talk *)user)->woken = true; /* the store in memory calls from our own thread */
}

static const struct mox_imap_server_callbacks callbacks = {
    .size = sizeof callbacks, .auth = login, .wake = wake};

static void take_output(struct talk *t)
{
    const uint8_t *data = NULL;
    const size_t n = mox_imap_server_output(t->server, &data);
    if (n > t->max_output)
        t->max_output = n;
    if (!t->keep && n >= 1024)
        t->len = 0;
    if (t->cap - t->len < n + 1) {
        t->cap = (t->len + n + 1) * 2;
        t->got = realloc(t->got, t->cap);
        assert_non_null(t->got);
    }
    memcpy(t->got + t->len, data, n);
    t->len += n;
    t->got[t->len] = '\0';
    mox_imap_server_sent(t->server, n);
}

/* One step of the host's loop; whether anything happened. */
static bool step(struct talk *t)
{
    const unsigned wants = mox_imap_server_wants(t->server);
    if (t->woken) {
        t->woken = false;
        assert_int_equal(mox_imap_server_woken(t->server), MOX_OK);
        return true;
    }
    if (wants & MOX_WANTS_WRITE) {
        take_output(t);
        return true;
    }
    if (wants & MOX_WANTS_RUN) {
        t->runs++;
        t->running = true;
        assert_int_equal(mox_imap_server_run(t->server), MOX_OK);
        t->running = false;
        return true;
    }
    return false;
}

void talk_send(struct talk *t, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (step(t))
        ;
    while (len > 0) {
        const size_t n = len < MOX_INPUT_MAX ? len : MOX_INPUT_MAX;
        assert_true(mox_imap_server_wants(t->server) & MOX_WANTS_READ);
        assert_int_equal(mox_imap_server_input(t->server, at, n), MOX_OK);
        at += n;
        len -= n;
        while (step(t))
            ;
    }
}

const char *talk(struct talk *t, const char *line)
{
    const size_t len = strlen(line);
    char *text = malloc(len + 5);
    assert_non_null(text);
    memcpy(text, "t ", 2);
    memcpy(text + 2, line, len);
    memcpy(text + 2 + len, "\r\n", 3);
    t->len = 0;
    t->runs = 0;
    t->max_output = 0;
    talk_send(t, text, len + 4);
    free(text);
    return (const char *)t->got;
}

const char *talk_ok(struct talk *t, const char *line)
{
    const char *said = talk(t, line);
    size_t at = t->len >= 2 ? t->len - 2 : 0; /* of the last line, which is the result */
    while (at > 0 && said[at - 1] != '\n')
        at--;
    if (strncmp(said + at, "t OK", 4) != 0)
        fail_msg("%s: %s", line, said + at);
    return said;
}

void talk_open(struct talk *t, const struct mox_env *env, struct mox_mailstore store)
{
    struct mox_imap_server_config config;
    struct mox_peer peer = {.size = sizeof peer, .remote_ip = "192.0.2.1", .cid = 1};
    *t = (struct talk){.store = store, .keep = true};
    mox_imap_server_config_init(&config);
    config.hostname = "imap.example";
    config.auth_without_tls = true;
    assert_int_equal(mox_imap_server_new(&t->server, env, &config, &peer, &callbacks, t), MOX_OK);
    talk_send(t, NULL, 0);
    talk_ok(t, "LOGIN someone password");
}

void talk_close(struct talk *t)
{
    mox_imap_server_free(t->server);
    free(t->got);
    t->got = NULL;
}

static void appended(struct mox_write *w)
{
    sem_post(w->user);
}

void talk_append(struct mox_mailstore store, const struct mox_env *env, const char *mailbox,
                 struct mox_slice prefix, struct mox_slice content, uint32_t flags,
                 int64_t received_us)
{
    struct mox_spool *spool = NULL;
    sem_t done;
    sem_init(&done, 0, 0);
    assert_int_equal(mox_spool_new(&spool, env, NULL, content.len), MOX_OK);
    assert_int_equal(mox_spool_write(spool, content), MOX_OK);
    struct mox_append op = {.write = {.done = appended, .user = &done},
                            .mailbox_name = mailbox,
                            .spool = spool,
                            .prefix = prefix,
                            .flags = flags,
                            .received_us = received_us};
    store.ops->append(store.self, &op);
    sem_wait(&done);
    sem_destroy(&done);
    mox_spool_free(spool);
    assert_int_equal(op.write.status, MOX_OK);
}

bool talk_literal(const struct talk *t, const char *label, struct mox_slice *out)
{
    const char *at = memmem(t->got, t->len, label, strlen(label));
    if (at == NULL)
        return false;
    at += strlen(label);
    if (strncmp(at, " {", 2) != 0)
        return false;
    char *end = NULL;
    const size_t len = strtoul(at + 2, &end, 10);
    assert_memory_equal(end, "}\r\n", 3);
    assert_true((size_t)((const uint8_t *)end + 3 - t->got) + len <= t->len);
    *out = slice(end + 3, len);
    return true;
}
