/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/import.h"

/* Messages on their way to the committer: while it syncs some, the next ones are read and parsed. */

struct added {
    struct mox_append op;
    struct adder *adder;
    struct mox_spool *spool;
    struct added *next; /* done, or free */
    size_t cost;
    char where[400]; /* for people; of a longer one the end */
};

struct adder {
    struct mox_account *account;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct added *done; /* under the lock, to be freed by who adds */
    size_t ahead, ahead_bytes;
    int status; /* the first failure */
    struct mox_error error;
};

int mox__adder_new(struct adder **out, struct mox_account *a, struct mox_error *err)
{
    struct adder *d = *out = mem_new(a->env, struct adder, 1);
    if (d == NULL)
        return mox__fail(err, MOX_ENOMEM, "import: out of memory");
    d->account = a;
    (void)pthread_mutex_init(&d->lock, NULL);
    (void)pthread_cond_init(&d->changed, NULL);
    return MOX_OK;
}

/* On the committer's thread. */
static void done(struct mox_write *w)
{
    struct added *m = w->user;
    struct adder *d = m->adder;
    pthread_mutex_lock(&d->lock);
    if (w->status < 0 && d->status == MOX_OK)
        d->status = mox__fail(&d->error, w->status, "%s: %s", m->where, w->error.text);
    m->next = d->done;
    d->done = m;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

/* Under the lock: takes what is done out of the count, and gives it back to be freed without the lock. */
static struct added *take_done(struct adder *d)
{
    struct added *list = d->done;
    d->done = NULL;
    for (const struct added *m = list; m != NULL; m = m->next) {
        d->ahead--;
        d->ahead_bytes -= m->cost;
    }
    return list;
}

static void free_list(struct adder *d, struct added *list)
{
    while (list != NULL) {
        struct added *next = list->next;
        mox_spool_free(list->spool);
        mox__mem_free(d->account->env, list);
        list = next;
    }
}

/* Waits until at most so much is on its way; the first failure. */
static int wait_until(struct adder *d, size_t ahead, size_t bytes, struct mox_error *err)
{
    pthread_mutex_lock(&d->lock);
    for (;;) {
        struct added *list = take_done(d);
        if (list != NULL) {
            pthread_mutex_unlock(&d->lock);
            free_list(d, list);
            pthread_mutex_lock(&d->lock);
        }
        if (d->ahead <= ahead && d->ahead_bytes <= bytes)
            break;
        if (d->done == NULL)
            (void)pthread_cond_wait(&d->changed, &d->lock);
    }
    const int rc = d->status;
    if (rc < 0 && err != NULL)
        *err = d->error;
    pthread_mutex_unlock(&d->lock);
    return rc;
}

static void set_where(struct added *m, const char *where)
{
    size_t len = strlen(where), room = sizeof m->where - 1;
    memcpy(m->where, where + (len > room ? len - room : 0), (len < room ? len : room) + 1);
}

int mox__adder_add(struct adder *d, uint64_t mailbox, struct mox_spool *spool,
                   const struct mox_mailfile_item *item, struct mox_error *err)
{
    const struct mox_env *env = d->account->env;
    size_t text = 0;
    for (size_t i = 0; i < item->keyword_count; i++)
        text += strlen(item->keywords[i]) + 1;
    /* one piece of memory: the write, its keywords, their text */
    const size_t pointers = item->keyword_count * sizeof(char *);
    struct added *m = mox__calloc(env, 1, sizeof *m + pointers + text);
    int rc = wait_until(d, IMPORT_AHEAD_MAX - 1, IMPORT_AHEAD_BYTES_MAX, err);
    if (rc == MOX_OK && m == NULL)
        rc = mox__fail(err, MOX_ENOMEM, "%s: out of memory", item->where);
    if (rc < 0) {
        mox_spool_free(spool);
        mox__mem_free(env, m);
        return rc;
    }
    const char **keywords = (const char **)(void *)(m + 1);
    char *at = (char *)(keywords + item->keyword_count);
    for (size_t i = 0; i < item->keyword_count; i++) {
        size_t len = strlen(item->keywords[i]) + 1;
        keywords[i] = memcpy(at, item->keywords[i], len);
        at += len;
    }
    set_where(m, item->where);
    m->adder = d;
    m->spool = spool;
    m->cost = mox_spool_fd(spool) < 0 ? (size_t)mox_spool_size(spool) : IMPORT_FILE_COST;
    m->op = (struct mox_append){.write = {.done = done, .user = m},
                                .mailbox = mailbox,
                                .spool = spool,
                                .flags = item->flags,
                                .keywords = keywords,
                                .keyword_count = item->keyword_count,
                                .received_us = item->received_us};
    pthread_mutex_lock(&d->lock);
    d->ahead++;
    d->ahead_bytes += m->cost;
    pthread_mutex_unlock(&d->lock);
    mox__append(d->account, &m->op);
    return MOX_OK;
}

int mox__adder_wait(struct adder *d, struct mox_error *err)
{
    return wait_until(d, 0, 0, err);
}

void mox__adder_free(struct adder *d)
{
    if (d == NULL)
        return;
    (void)wait_until(d, 0, 0, NULL);
    (void)pthread_mutex_destroy(&d->lock);
    (void)pthread_cond_destroy(&d->changed);
    mox__mem_free(d->account->env, d);
}
