/* SPDX-License-Identifier: MIT */
/* fill DATA ACCOUNT COUNT [MAILBOX]: puts small messages into a mailbox (by default Inbox; made if it is
 * missing) of an account that no server has open, as fast as the store takes them. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/spool.h>
#include <mox/store.h>

/* Writes that wait at once; the store commits as many of them together as it can. */
#define OUTSTANDING 1000

struct slot {
    struct mox_append op;
    struct slot *next;
    struct filler *filler;
};

struct filler {
    struct mox_env env;
    struct mox_mailstore mail;
    pthread_mutex_t lock;
    pthread_cond_t landed;
    struct slot *free;
    unsigned free_count;
    struct slot slots[OUTSTANDING];
};

static void check(int rc, const char *text)
{
    if (rc >= 0)
        return;
    (void)fprintf(stderr, "fill: %s\n", text);
    exit(1);
}

static void landed(struct mox_write *w)
{
    struct slot *s = w->user;
    check(w->status, w->error.text);
    pthread_mutex_lock(&s->filler->lock);
    s->next = s->filler->free;
    s->filler->free = s;
    s->filler->free_count++;
    pthread_cond_signal(&s->filler->landed);
    pthread_mutex_unlock(&s->filler->lock);
}

static struct slot *take_slot(struct filler *f)
{
    pthread_mutex_lock(&f->lock);
    while (f->free == NULL)
        pthread_cond_wait(&f->landed, &f->lock);
    struct slot *s = f->free;
    f->free = s->next;
    f->free_count--;
    pthread_mutex_unlock(&f->lock);
    return s;
}

static struct mox_spool *message(const struct filler *f, unsigned n)
{
    char text[600];
    int len = snprintf(text, sizeof text,
                       "From: Sender %u <s%u@remote.example>\r\nTo: mox@localhost\r\n"
                       "Subject: Message number %u\r\nDate: Mon, 2 Jan 2023 03:04:05 +0100\r\n"
                       "Message-Id: <%u@remote.example>\r\n\r\nThe text of message %u.\r\n",
                       n % 1000, n % 1000, n, n, n);
    struct mox_spool *spool = NULL;
    int rc = mox_spool_new(&spool, &f->env, NULL, sizeof text);
    if (rc == MOX_OK)
        rc = mox_spool_write(spool, (struct mox_slice){(const uint8_t *)text, (size_t)len});
    check(rc, mox_status_text(rc));
    return spool;
}

static void fill(struct filler *f, unsigned count, const char *mailbox)
{
    for (unsigned i = 0; i < count; i++) {
        struct slot *s = take_slot(f);
        mox_spool_free(s->op.spool);
        s->op = (struct mox_append){
            .write = {.done = landed, .user = s}, .mailbox_name = mailbox, .spool = message(f, i)};
        f->mail.ops->append(f->mail.self, &s->op);
    }
    pthread_mutex_lock(&f->lock);
    while (f->free_count < OUTSTANDING)
        pthread_cond_wait(&f->landed, &f->lock);
    pthread_mutex_unlock(&f->lock);
    for (unsigned i = 0; i < OUTSTANDING; i++)
        mox_spool_free(f->slots[i].op.spool);
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        (void)fprintf(stderr, "usage: fill DATA ACCOUNT COUNT [MAILBOX]\n");
        return 2;
    }
    static struct filler f = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .landed = PTHREAD_COND_INITIALIZER,
                              .free_count = OUTSTANDING};
    for (unsigned i = 0; i < OUTSTANDING; i++) {
        f.slots[i].filler = &f;
        f.slots[i].next = i + 1 < OUTSTANDING ? &f.slots[i + 1] : NULL;
    }
    f.free = f.slots;
    mox_env_system(&f.env);
    struct mox_store *store = NULL;
    struct mox_account *account = NULL;
    struct mox_error err = {0};
    check(mox_store_open(&store, &f.env, argv[1], &err), err.text);
    check(mox_account_open(&account, store, argv[2], MOX_ACCOUNT_EXISTING, NULL, &err), err.text);
    f.mail = mox_account_mailstore(account);
    fill(&f, (unsigned)strtoul(argv[3], NULL, 10), argc > 4 ? argv[4] : "Inbox");
    mox_account_close(account);
    mox_store_close(store);
    return 0;
}
