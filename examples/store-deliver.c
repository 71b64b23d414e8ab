/* SPDX-License-Identifier: MIT */
/* Puts the message on standard input into an account's Inbox, and says when it is on stable storage.
 * Try it:  printf 'Subject: hi\r\n\r\nhello\r\n' | store-deliver /tmp/mail you                      */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <mox/store.h>

/* A write is answered on another thread, once its commit is synced. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
};

static void done(struct mox_write *w)
{
    struct waiter *waiter = w->user;
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->cond);
    pthread_mutex_unlock(&waiter->lock);
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "store-deliver: %s: %s\n", what, why);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: store-deliver DATADIR ACCOUNT <message\n");
        return 2;
    }
    struct mox_env env;
    mox_env_system(&env);
    struct mox_error err = {0};
    struct mox_store *store;
    struct mox_account *account;
    struct mox_spool *spool;
    if (mox_store_open(&store, &env, argv[1], &err) < 0)
        return fail("open", err.text);
    if (mox_account_open(&account, store, argv[2], MOX_ACCOUNT_CREATE, NULL, &err) < 0)
        return fail("account", err.text);

    struct mox_mailstore mail = mox_account_mailstore(account);
    int rc = mox_spool_new(&spool, &env, mail.ops->spool_dir(mail.self), UINT64_MAX);
    if (rc < 0)
        return fail("spool", mox_status_text(rc));
    uint8_t chunk[65536];
    for (ssize_t n; (n = read(STDIN_FILENO, chunk, sizeof chunk)) > 0;)
        if ((rc = mox_spool_write(spool, (struct mox_slice){chunk, (size_t)n})) < 0)
            return fail("write", mox_status_text(rc));

    struct waiter waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct mox_append append = {
        .write = {.done = done, .user = &waiter},
        .mailbox_name = "Inbox",
        .spool = spool,
    };
    mail.ops->append(mail.self, &append);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.done)
        pthread_cond_wait(&waiter.cond, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    if (append.write.status < 0)
        return fail("deliver", append.write.error.text);
    printf("delivered as UID %u\n", append.uid);

    mox_spool_free(spool);
    mail.ops->close(mail.self); /* closes the account */
    mox_store_close(store);
    return 0;
}
