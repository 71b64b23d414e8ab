/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mox/imap_server.h>
#include <mox/spool.h>

#include "support/cm.h"
#include "support/testenv.h"

/* Writes that are done on another thread, and changes that come from there, as with a store that
 * has a thread of its own. */

struct fixture {
    struct test_env t;
    struct mox_mailstore memory, threaded;
    struct mox_mailstore_ops ops;
    pthread_t threads[64];
    unsigned thread_count;
    sem_t woken;
    struct mox_imap_server *server;
};

struct job {
    struct fixture *f;
    struct mox_append *append;
    struct mox_mailbox_change *change;
};

static void nap(void)
{
    const struct timespec t = {0, 2000000};
    (void)nanosleep(&t, NULL);
}

static void *work(void *arg)
{
    struct job *job = arg;
    struct mox_mailstore *m = &job->f->memory;
    nap();
    if (job->append != NULL)
        m->ops->append(m->self, job->append);
    else
        m->ops->change_mailbox(m->self, job->change);
    free(job);
    return NULL;
}

static void start(struct fixture *f, struct mox_append *append, struct mox_mailbox_change *change)
{
    struct job *job = malloc(sizeof *job);
    assert_non_null(job);
    *job = (struct job){f, append, change};
    assert_true(f->thread_count < 64);
    assert_int_equal(pthread_create(&f->threads[f->thread_count++], NULL, work, job), 0);
}

static void threaded_append(void *self, struct mox_append *op)
{
    start(self, op, NULL);
}

static void threaded_change(void *self, struct mox_mailbox_change *op)
{
    start(self, NULL, op);
}

static int names(void *self, const struct mox_mailboxes **out, struct mox_error *err)
{
    struct fixture *f = self;
    return f->memory.ops->mailboxes(f->memory.self, out, err);
}

static int status(void *self, uint64_t mailbox, struct mox_mailbox_status *out,
                  struct mox_error *err)
{
    struct fixture *f = self;
    return f->memory.ops->status(f->memory.self, mailbox, out, err);
}

static int view(void *self, uint64_t mailbox, struct mox_view **out, struct mox_error *err)
{
    struct fixture *f = self;
    return f->memory.ops->view(f->memory.self, mailbox, out, err);
}

static void watch(void *self, struct mox_watch *w)
{
    struct fixture *f = self;
    f->memory.ops->watch(f->memory.self, w);
}

static void unwatch(void *self, struct mox_watch *w)
{
    struct fixture *f = self;
    f->memory.ops->unwatch(f->memory.self, w);
}

static int login(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                 struct mox_mailstore *store)
{
    const struct fixture *f = user;
    (void)q;
    (void)a;
    *store = f->threaded;
    return MOX_OK;
}

static void wake(void *user)
{
    struct fixture *f = user;
    sem_post(&f->woken);
}

static const struct mox_imap_server_callbacks callbacks = {
    .size = sizeof callbacks, .auth = login, .wake = wake};

/* Moves the session until it has said `text`; what it said before is dropped. */
static void until(struct fixture *f, const char *text)
{
    for (;;) {
        const uint8_t *out = NULL;
        size_t len = mox_imap_server_output(f->server, &out);
        char *copy = calloc(1, len + 1);
        assert_non_null(copy);
        if (len > 0)
            memcpy(copy, out, len);
        bool found = strstr(copy, text) != NULL;
        free(copy);
        mox_imap_server_sent(f->server, len);
        if (found)
            return;
        if (mox_imap_server_wants(f->server) & MOX_WANTS_RUN) {
            assert_int_equal(mox_imap_server_run(f->server), MOX_OK);
            continue;
        }
        if (mox_imap_server_wants(f->server) & MOX_WANTS_WRITE)
            continue;
        sem_wait(&f->woken);
        assert_int_equal(mox_imap_server_woken(f->server), MOX_OK);
    }
}

static void say(struct fixture *f, const char *text)
{
    assert_int_equal(mox_imap_server_input(f->server, (const uint8_t *)text, strlen(text)), MOX_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    test_env_init(&f->t);
    f->t.log_level = MOX_LOG_ERROR;
    sem_init(&f->woken, 0, 0);
    assert_int_equal(mox_memory_mailstore_new(&f->memory, &f->t.env), MOX_OK);
    f->ops = (struct mox_mailstore_ops){.size = sizeof f->ops,
                                        .mailboxes = names,
                                        .status = status,
                                        .view = view,
                                        .watch = watch,
                                        .unwatch = unwatch,
                                        .append = threaded_append,
                                        .change_mailbox = threaded_change};
    f->threaded = (struct mox_mailstore){&f->ops, f};
    struct mox_imap_server_config config;
    const struct mox_peer peer = {.size = sizeof peer, .tls = true};
    mox_imap_server_config_init(&config);
    assert_int_equal(mox_imap_server_new(&f->server, &f->t.env, &config, &peer, &callbacks, f),
                     MOX_OK);
    say(f, "a login u p\r\n");
    until(f, "a OK");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mox_imap_server_free(f->server);
    for (unsigned i = 0; i < f->thread_count; i++)
        (void)pthread_join(f->threads[i], NULL);
    mox_memory_mailstore_free(&f->memory);
    sem_destroy(&f->woken);
    test_env_done(&f->t);
    free(f);
    return 0;
}

static void writes_may_be_done_on_any_thread(void **state)
{
    struct fixture *f = *state;
    say(f, "b select inbox\r\n");
    until(f, "b OK");
    for (int i = 0; i < 20; i++) {
        say(f, "c append inbox {5+}\r\nhello\r\nd noop\r\n");
        until(f, "d OK");
    }
    say(f, "e create x\r\n");
    until(f, "e OK");
}

static void freeing_a_session_waits_for_its_write(void **state)
{
    struct fixture *f = *state;
    say(f, "b append inbox {5+}\r\nhello\r\n");
    assert_true(mox_imap_server_wants(f->server) & MOX_WANTS_APP);
}

static void quiet(struct mox_write *w)
{
    free(w->user);
}

/* Appends to Inbox from elsewhere. */
static void deliver(struct fixture *f, struct mox_spool *spool)
{
    struct mox_append *op = calloc(1, sizeof *op);
    assert_non_null(op);
    *op = (struct mox_append){
        .write = {.done = quiet, .user = op}, .mailbox_name = "Inbox", .spool = spool};
    start(f, op, NULL);
}

static void changes_come_from_any_thread_while_idling(void **state)
{
    struct fixture *f = *state;
    struct mox_spool *spool = NULL;
    assert_int_equal(mox_spool_new(&spool, &f->t.env, NULL, 1000), MOX_OK);
    assert_int_equal(mox_spool_write(spool, (struct mox_slice){(const uint8_t *)"a\r\n", 3}),
                     MOX_OK);
    say(f, "b select inbox\r\n");
    until(f, "b OK");
    say(f, "c idle\r\n");
    until(f, "+ idling");
    for (int i = 0; i < 20; i++)
        deliver(f, spool);
    until(f, "20 EXISTS");
    say(f, "done\r\n");
    until(f, "c OK");
    for (unsigned i = 0; i < f->thread_count; i++)
        (void)pthread_join(f->threads[i], NULL);
    f->thread_count = 0;
    mox_spool_free(spool);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(writes_may_be_done_on_any_thread),
        CASE(freeing_a_session_waits_for_its_write),
        CASE(changes_come_from_any_thread_while_idling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
