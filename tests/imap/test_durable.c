/* SPDX-License-Identifier: MIT */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/store.h>

#include "dialogues.h"
#include "support/cm.h"

/* The dialogues over the durable store: what a client sees does not depend on where the mail is. A
 * write is waited for here, since a dialogue has one thread. */

static struct mox_store *store;
static const struct mox_mailstore_ops *real;
static struct mox_mailstore_ops waiting;
static char dir[64];

static void signal_done(struct mox_write *w)
{
    sem_post(w->user);
}

struct wait {
    void (*done)(struct mox_write *w);
    void *user;
    sem_t over;
};

static void before(struct wait *wait, struct mox_write *w)
{
    wait->done = w->done;
    wait->user = w->user;
    sem_init(&wait->over, 0, 0);
    w->done = signal_done;
    w->user = &wait->over;
}

static void after(struct wait *wait, struct mox_write *w)
{
    sem_wait(&wait->over);
    sem_destroy(&wait->over);
    w->done = wait->done;
    w->user = wait->user;
    w->done(w);
}

static void append(void *self, struct mox_append *op)
{
    struct wait wait;
    before(&wait, &op->write);
    real->append(self, op);
    after(&wait, &op->write);
}

static void set_flags(void *self, struct mox_set_flags *op)
{
    struct wait wait;
    before(&wait, &op->write);
    real->set_flags(self, op);
    after(&wait, &op->write);
}

static void expunge(void *self, struct mox_expunge *op)
{
    struct wait wait;
    before(&wait, &op->write);
    real->expunge(self, op);
    after(&wait, &op->write);
}

static void copy(void *self, struct mox_copy *op)
{
    struct wait wait;
    before(&wait, &op->write);
    real->copy(self, op);
    after(&wait, &op->write);
}

static void change_mailbox(void *self, struct mox_mailbox_change *op)
{
    struct wait wait;
    before(&wait, &op->write);
    real->change_mailbox(self, op);
    after(&wait, &op->write);
}

static void keep_open(void *self)
{
    (void)self;
}

static void make(struct mox_mailstore *out, const struct mox_env *env)
{
    struct mox_error err = {0};
    struct mox_account *account = NULL;
    const struct mox_mailbox none = {0};
    struct mox_account_config config = {.size = sizeof config, .mailboxes = &none};
    strcpy(dir, "/tmp/mox-imap-XXXXXX");
    assert_non_null(mkdtemp(dir));
    if (mox_store_open(&store, env, dir, &err) < 0 ||
        mox_account_open(&account, store, "u", MOX_ACCOUNT_CREATE, &config, &err) < 0)
        fail_msg("%s", err.text);
    *out = mox_account_mailstore(account);
    real = out->ops;
    waiting = *real;
    waiting.append = append;
    waiting.set_flags = set_flags;
    waiting.expunge = expunge;
    waiting.copy = copy;
    waiting.change_mailbox = change_mailbox;
    waiting.close = keep_open;
    out->ops = &waiting;
}

static void report(void *user, const char *text)
{
    (void)user;
    print_error("%s\n", text);
}

static void unmake(struct mox_mailstore *mail)
{
    char command[128];
    struct mox_env env;
    struct mox_error err = {0};
    mox_env_system(&env);
    real->close(mail->self);
    mox_store_close(store);
    int rc = mox_store_verify(&env, dir, report, NULL, &err);
    (void)snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(rc, MOX_OK);
}

/* A challenge is the next random number, and here the store draws some too. Logging in has nothing to do
 * with where the mail is. */
static void play(void **state)
{
    static const struct mail_maker durable = {make, unmake};
    const struct dialogue *d = *state;
    if ((d->options & HOST_SASL) != 0)
        skip();
    imap_play_over(d->name, d->options, &durable);
}

int main(void)
{
    enum { COUNT = sizeof dialogues / sizeof dialogues[0] };
    struct CMUnitTest tests[COUNT];
    for (int i = 0; i < COUNT; i++)
        tests[i] = (struct CMUnitTest){dialogues[i].name, play, NULL, NULL,
                                       (void *)(uintptr_t)&dialogues[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
