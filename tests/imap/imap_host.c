/* SPDX-License-Identifier: MIT */
#include "imap_host.h"

#include <stdlib.h>
#include <string.h>

#include "support/cm.h"
#include "support/sasl_users.h"

#define SESSIONS   10
#define QUEUED_MAX 16

struct session {
    struct host *host;
    struct transcript_session *transcript;
    struct mox_imap_server *server;
};

/* A write that the slow store has done and not told. */
struct queued {
    struct mox_write *write;
    void (*done)(struct mox_write *w);
    void *user;
};

struct host {
    unsigned options;
    const struct mail_maker *maker;
    struct test_env *env;
    struct mox_mailstore mail, slow;
    struct mox_mailstore_ops slow_ops;
    struct queued queue[QUEUED_MAX];
    size_t queued;
    const struct mox_sasl_question *asked; /* and to be answered */
    struct session sessions[SESSIONS];
};

/* --- the slow store: the one in memory, with everything that may wait waiting --- */

static bool never_ready(void *self, uint64_t mailbox)
{
    (void)self;
    (void)mailbox;
    return false;
}

static void hold_back(struct mox_write *w)
{
    struct host *h = w->user;
    for (size_t i = 0; i < h->queued; i++)
        if (h->queue[i].write == w)
            return;
    fail_msg("a write is done that was not submitted");
}

static void enqueue(struct host *h, struct mox_write *w)
{
    assert_true(h->queued < QUEUED_MAX);
    h->queue[h->queued++] = (struct queued){w, w->done, w->user};
    w->done = hold_back;
    w->user = h;
}

/* Lets the writes end: as they did, or with a failure. */
static void tell_written(struct host *h, int status)
{
    size_t n = h->queued;
    h->queued = 0;
    for (size_t i = 0; i < n; i++) {
        h->queue[i].write->done = h->queue[i].done;
        h->queue[i].write->user = h->queue[i].user;
        if (status < 0)
            h->queue[i].write->status = status;
        h->queue[i].done(h->queue[i].write);
    }
}

static void slow_append(void *self, struct mox_append *op)
{
    struct host *h = self;
    enqueue(h, &op->write);
    h->mail.ops->append(h->mail.self, op);
}

static void slow_set_flags(void *self, struct mox_set_flags *op)
{
    struct host *h = self;
    enqueue(h, &op->write);
    h->mail.ops->set_flags(h->mail.self, op);
}

static void slow_expunge(void *self, struct mox_expunge *op)
{
    struct host *h = self;
    enqueue(h, &op->write);
    h->mail.ops->expunge(h->mail.self, op);
}

static void slow_copy(void *self, struct mox_copy *op)
{
    struct host *h = self;
    enqueue(h, &op->write);
    h->mail.ops->copy(h->mail.self, op);
}

static void slow_change(void *self, struct mox_mailbox_change *op)
{
    struct host *h = self;
    enqueue(h, &op->write);
    h->mail.ops->change_mailbox(h->mail.self, op);
}

static int slow_mailboxes(void *self, const struct mox_mailboxes **out, struct mox_error *err)
{
    struct host *h = self;
    return h->mail.ops->mailboxes(h->mail.self, out, err);
}

static int slow_status(void *self, uint64_t mailbox, struct mox_mailbox_status *out,
                       struct mox_error *err)
{
    struct host *h = self;
    return h->mail.ops->status(h->mail.self, mailbox, out, err);
}

static int slow_view(void *self, uint64_t mailbox, struct mox_view **out, struct mox_error *err)
{
    struct host *h = self;
    return h->mail.ops->view(h->mail.self, mailbox, out, err);
}

static int slow_fetch(void *self, const struct mox_view *view, const struct mox_uid_range *ranges,
                      size_t range_count, unsigned wants,
                      int (*each)(void *user, const struct mox_message_data *data), void *user,
                      struct mox_error *err)
{
    struct host *h = self;
    return h->mail.ops->fetch(h->mail.self, view, ranges, range_count, wants, each, user, err);
}

static void slow_watch(void *self, struct mox_watch *w)
{
    struct host *h = self;
    h->mail.ops->watch(h->mail.self, w);
}

static void slow_unwatch(void *self, struct mox_watch *w)
{
    struct host *h = self;
    h->mail.ops->unwatch(h->mail.self, w);
}

static uint32_t slow_claim(void *self, uint64_t mailbox, uint32_t uidnext)
{
    struct host *h = self;
    return h->mail.ops->claim_recent(h->mail.self, mailbox, uidnext);
}

static void make_slow(struct host *h)
{
    h->slow_ops = (struct mox_mailstore_ops){.size = sizeof h->slow_ops,
                                             .mailboxes = slow_mailboxes,
                                             .status = slow_status,
                                             .view = slow_view,
                                             .fetch = slow_fetch,
                                             .view_ready = never_ready,
                                             .watch = slow_watch,
                                             .unwatch = slow_unwatch,
                                             .claim_recent = slow_claim,
                                             .append = slow_append,
                                             .set_flags = slow_set_flags,
                                             .expunge = slow_expunge,
                                             .copy = slow_copy,
                                             .change_mailbox = slow_change};
    if (h->options & HOST_READ_ONLY)
        h->slow_ops = (struct mox_mailstore_ops){.size = sizeof h->slow_ops,
                                                 .mailboxes = slow_mailboxes,
                                                 .status = slow_status,
                                                 .view = slow_view,
                                                 .fetch = slow_fetch};
    h->slow = (struct mox_mailstore){&h->slow_ops, h};
}

/* --- decisions --- */

static int check_password(const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    if (strcmp(q->username, "later@example.org") == 0)
        return MOX_LATER;
    if (strcmp(q->username, "broken@example.org") == 0)
        return MOX_EIO;
    if (strcmp(q->username, "off@example.org") == 0) {
        strcpy(a->text, "This account is closed until Monday");
        return MOX_EREFUSED;
    }
    return strcmp(q->username, "u@example.org") == 0 && strcmp(q->password, "secret") == 0
               ? MOX_OK
               : MOX_EDENIED;
}

static int login(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                 struct mox_mailstore *store)
{
    struct session *s = user;
    if ((s->host->options & HOST_NO_PREAUTH) != 0 &&
        strcmp(q->mechanism, MOX_SASL_BY_CERTIFICATE) == 0)
        return MOX_EDENIED;
    int rc = q->ask == MOX_SASL_ASK_PASSWORD ? check_password(q, a) : sasl_users_answer(q, a);
    s->host->asked = rc == MOX_LATER ? q : NULL;
    if (rc == MOX_OK && q->ask != MOX_SASL_ASK_RECORD)
        *store =
            s->host->options & (HOST_SLOW_STORE | HOST_READ_ONLY) ? s->host->slow : s->host->mail;
    return rc;
}

static void wake(void *user)
{
    struct session *s = user;
    transcript_wake(s->transcript);
}

static const struct mox_imap_server_callbacks callbacks = {
    .size = sizeof callbacks, .auth = login, .wake = wake};

static void config_of(struct mox_imap_server_config *config, struct mox_peer *peer,
                      unsigned options)
{
    mox_imap_server_config_init(config);
    config->hostname = "mx.example";
    config->starttls = (options & HOST_STARTTLS) != 0;
    config->auth_without_tls = (options & (HOST_STARTTLS | HOST_IMPLICIT_TLS)) == 0;
    config->login_delay_us = (options & HOST_DELAYS) != 0 ? 1000000 : 0;
    config->pedantic = (options & HOST_PEDANTIC) != 0;
    if (options & HOST_SMALL) {
        config->max_output_bytes = 512;
        config->max_append_bytes = 1000;
    }
    *peer = (struct mox_peer){.size = sizeof *peer, .cid = 1};
    strcpy(peer->remote_ip, "192.0.2.1");
    strcpy(peer->local_ip, "192.0.2.2");
    peer->tls = (options & HOST_IMPLICIT_TLS) != 0;
    if (options & HOST_SASL) {
        config->mechanisms = ~0u;
        config->login_delay_us = 0;
        sasl_users_tls(&peer->tls_info, (options & HOST_KEY) != 0);
    }
}

/* --- the dialogue --- */

static void done_at_once(struct mox_write *w)
{
    assert_int_equal(w->status, MOX_OK);
}

static void add_message(struct mox_mailstore *store, const struct mox_env *env, const char *text,
                        uint32_t flags)
{
    struct mox_spool *spool = NULL;
    assert_int_equal(mox_spool_new(&spool, env, NULL, 10000), MOX_OK);
    assert_int_equal(
        mox_spool_write(spool, (struct mox_slice){(const uint8_t *)text, strlen(text)}), MOX_OK);
    struct mox_append op = {
        .write = {.done = done_at_once}, .mailbox_name = "Inbox", .spool = spool, .flags = flags};
    store->ops->append(store->self, &op);
    mox_spool_free(spool);
}

static void begin(void *user, struct test_env *env)
{
    struct host *h = user;
    h->env = env;
    h->queued = 0;
    h->maker->make(&h->mail, &env->env);
    make_slow(h);
    if (h->options & HOST_FILLED) {
        add_message(&h->mail, &env->env, "Subject: one\r\n\r\nFirst.\r\n", MOX_FLAG_SEEN);
        add_message(&h->mail, &env->env, "Subject: two\r\n\r\nSecond.\r\n", 0);
        add_message(&h->mail, &env->env, "Subject: three\r\n\r\nThird.\r\n", 0);
    }
}

static void open_session(void *user, unsigned number, struct transcript_session *transcript,
                         struct mox_engine *out)
{
    struct host *h = user;
    struct session *s = &h->sessions[number];
    struct mox_imap_server_config config;
    struct mox_peer peer;
    config_of(&config, &peer, h->options);
    peer.cid = number;
    s->host = h;
    s->transcript = transcript;
    assert_int_equal(mox_imap_server_new(&s->server, &h->env->env, &config, &peer, &callbacks, s),
                     MOX_OK);
    *out = mox_imap_server_engine(s->server);
}

static void tell_record(struct host *h, struct mox_imap_server *server)
{
    struct mox_sasl_answer a;
    mox_sasl_answer_init(&a);
    sasl_users_record(h->asked->record, &a);
    assert_int_equal(mox_imap_server_auth(server, MOX_OK, &a, NULL), MOX_OK);
}

static void answer(void *user, unsigned number, const char *text)
{
    struct host *h = user;
    struct mox_imap_server *server = h->sessions[number].server;
    if (strcmp(text, "written") == 0)
        tell_written(h, MOX_OK);
    else if (strcmp(text, "quota") == 0)
        tell_written(h, MOX_EQUOTA);
    else if (strcmp(text, "full") == 0)
        tell_written(h, MOX_ENOSPACE);
    else if (strcmp(text, "broken") == 0)
        tell_written(h, MOX_EIO);
    else if (strcmp(text, "record") == 0)
        tell_record(h, server);
    else if (strcmp(text, "ok") == 0)
        assert_int_equal(mox_imap_server_auth(server, MOX_OK, NULL, &h->mail), MOX_OK);
    else if (strcmp(text, "denied") == 0)
        assert_int_equal(mox_imap_server_auth(server, MOX_EDENIED, NULL, NULL), MOX_OK);
    else
        fail_msg("no such answer: %s", text);
}

static void end(void *user)
{
    struct host *h = user;
    h->maker->unmake(&h->mail);
}

static void make_memory(struct mox_mailstore *store, const struct mox_env *env)
{
    assert_int_equal(mox_memory_mailstore_new(store, env), MOX_OK);
}

void imap_play(const char *name, unsigned options)
{
    static const struct mail_maker memory = {make_memory, mox_memory_mailstore_free};
    imap_play_over(name, options, &memory);
}

void imap_play_over(const char *name, unsigned options, const struct mail_maker *maker)
{
    struct host *h = calloc(1, sizeof *h);
    assert_non_null(h);
    h->options = options;
    h->maker = maker;
    const struct transcript_host host = {h, begin, open_session, answer, end};
    char path[256] = "imap/";
    strcat(path, name);
    transcript_play(path, &host);
    free(h);
}
