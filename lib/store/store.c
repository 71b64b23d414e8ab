/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/filter.h"
#include "store/store.h"

#define ACCOUNT_NAME_MAX 64

/* ---- the data directory ---- */

/* flock(2): the lock goes with the process, whatever ends it. The file says who has it. */
static int lock_dir(struct mox_store *s, struct mox_error *err)
{
    char *path = mox__path(&s->env, "%s/lock", s->dir);
    if (path == NULL)
        return mox__fail(err, MOX_ENOMEM, "open data directory %s: out of memory", s->dir);
    int rc = MOX_OK;
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (s->lock_fd < 0) {
        rc = mox__fail(err, mox__status_of_errno(errno),
                       "open data directory %s: %s: %s; it must exist and be writable", s->dir,
                       path, strerror(errno));
    } else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        char pid[24] = "";
        ssize_t n = pread(s->lock_fd, pid, sizeof pid - 1, 0);
        pid[n > 0 ? strcspn(pid, "\n") : 0] = '\0';
        rc = mox__fail(err, MOX_EBUSY,
                       "open data directory %s: process %s uses it; stop that one first", s->dir,
                       pid[0] == '\0' ? "(unknown)" : pid);
    } else {
        char pid[24];
        int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
        if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, pid, (size_t)len, 0) != len)
            rc = mox__fail(err, mox__status_of_errno(errno), "write %s: %s", path, strerror(errno));
    }
    mox__mem_free(&s->env, path);
    return rc;
}

/* The name of a new data directory must survive a power cut too. A parent that cannot be opened is
 * not ours to sync. */
static void sync_parent(struct mox_store *s)
{
    char *parent = mox__path(&s->env, "%s/..", s->dir);
    if (parent != NULL)
        (void)mox__sync_dir(parent);
    mox__mem_free(&s->env, parent);
}

/* The folder for spools; what a crash left in it goes. */
static int clean_spools(struct mox_store *s, struct mox_error *err)
{
    int rc = mox__make_dir(s->spool_dir, err);
    DIR *dir = rc < 0 ? NULL : opendir(s->spool_dir);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (strncmp(e->d_name, "spool.", 6) == 0)
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    if (dir != NULL)
        (void)closedir(dir);
    return rc;
}

int mox_store_open(struct mox_store **out, const struct mox_env *env, const char *dir,
                   struct mox_error *err)
{
    *out = NULL;
    int rc = mox__crypto_init();
    struct mox_store *s = rc < 0 ? NULL : mem_new(env, struct mox_store, 1);
    if (s == NULL)
        return mox__fail(err, rc < 0 ? rc : MOX_ENOMEM, "open data directory %s: %s", dir,
                         rc < 0 ? "no cryptography" : "out of memory");
    s->env = *env;
    s->lock_fd = -1;
    s->cost = (struct password_cost){.passes = PASSWORD_PASSES, .memory = PASSWORD_MEMORY};
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->changed, NULL);
    (void)pthread_cond_init(&s->checkpoint_work, NULL);
    mox__gate_init(&s->hashing, HASHING_MAX);
    mox__trainer_init(s);
    s->dir = mox__strndup(env, dir, strlen(dir));
    s->spool_dir = mox__path(env, "%s/tmp", dir);
    if (s->dir == NULL || s->spool_dir == NULL) {
        rc = mox__fail(err, MOX_ENOMEM, "open data directory %s: out of memory", dir);
        goto done;
    }
    rc = mox__make_dir(dir, err);
    if (rc == MOX_OK)
        rc = lock_dir(s, err);
    if (rc == MOX_OK)
        sync_parent(s);
    if (rc == MOX_OK)
        rc = clean_spools(s, err);
    if (rc == MOX_OK)
        rc = mox__checkpointer_start(s, err);
    if (rc < 0)
        goto done;
    *out = s;
    s = NULL;
done:
    mox_store_close(s);
    return rc;
}

/* ---- accounts ---- */

static void account_free(struct mox_account *a)
{
    const struct mox_env *env = a->env;
    mox__filter_free(a);
    mox__known_free(a);
    (void)pthread_mutex_destroy(&a->lock);
    (void)pthread_mutex_destroy(&a->watch_lock);
    (void)pthread_mutex_destroy(&a->password_lock);
    (void)pthread_cond_destroy(&a->work);
    (void)pthread_cond_destroy(&a->loaded);
    mox__wipe(a->password_key, sizeof a->password_key);
    mox__mem_free(env, a->name);
    mox__mem_free(env, a->dir);
    mox__mem_free(env, a->db_path);
    mox__mem_free(env, a);
}

static struct mox_account *account_new(struct mox_store *s, const char *name,
                                       const struct mox_account_config *config)
{
    struct mox_account *a = mem_new(&s->env, struct mox_account, 1);
    if (a == NULL)
        return NULL;
    a->store = s;
    a->env = &s->env;
    a->refs = 1;
    a->busy = true;
    a->queue_end = &a->queue;
    a->strays = true;
    a->erase_job = (struct job){.apply = mox__erase_apply, .finish = mox__erase_finish};
    if (config != NULL) {
        a->junk_flags = config->junk_flags;
        a->junk_flags_user = config->junk_flags_user;
        a->quota_bytes = config->quota_bytes;
        a->count_arrivals = config->size >= sizeof *config && config->count_arrivals;
    }
    mox__known_init(&a->known);
    (void)pthread_mutex_init(&a->lock, NULL);
    (void)pthread_mutex_init(&a->watch_lock, NULL);
    (void)pthread_mutex_init(&a->password_lock, NULL);
    (void)pthread_cond_init(&a->work, NULL);
    (void)pthread_cond_init(&a->loaded, NULL);
    s->env.random(s->env.user, a->password_key, sizeof a->password_key);
    a->name = mox__strndup(&s->env, name, strlen(name));
    a->dir = mox__path(&s->env, "%s/accounts/%s", s->dir, name);
    a->db_path = mox__path(&s->env, "%s/accounts/%s/index.db", s->dir, name);
    bool filters = config != NULL && config->size >= sizeof *config && config->junk != NULL;
    if (a->name != NULL && a->dir != NULL && a->db_path != NULL &&
        (!filters || mox__filter_new(a, config->junk) == MOX_OK))
        return a;
    account_free(a);
    return NULL;
}

/* Under the store's lock; waits while the account is being opened or closed by another thread. */
static struct mox_account *find(struct mox_store *s, const char *name)
{
    for (struct mox_account *a = s->accounts; a != NULL;) {
        if (strcmp(a->name, name) != 0) {
            a = a->next;
        } else if (!a->busy) {
            return a;
        } else {
            (void)pthread_cond_wait(&s->changed, &s->lock);
            a = s->accounts; /* it may be gone */
        }
    }
    return NULL;
}

/* Under the store's lock. */
static void unlist(struct mox_account *a)
{
    struct mox_account **at = &a->store->accounts;
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
}

static bool name_is_valid(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > ACCOUNT_NAME_MAX || name[0] == '.' || name[0] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)name[i];
        if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

int mox_account_open(struct mox_account **out, struct mox_store *s, const char *name,
                     enum mox_account_open mode, const struct mox_account_config *config,
                     struct mox_error *err)
{
    *out = NULL;
    if (!name_is_valid(name))
        return mox__fail(err, MOX_EINVAL,
                         "open account: names have up to %d letters, digits, '-', '_' and '.', "
                         "and do not start with '.' or '-'",
                         ACCOUNT_NAME_MAX);
    int rc = MOX_OK;
    pthread_mutex_lock(&s->lock);
    struct mox_account *a = find(s, name);
    if (a != NULL) {
        a->refs++;
    } else if ((a = account_new(s, name, config)) == NULL) {
        rc = mox__fail(err, MOX_ENOMEM, "open account %s: out of memory", name);
    } else {
        a->next = s->accounts;
        s->accounts = a;
        pthread_mutex_unlock(&s->lock);
        rc = mox__account_load(a, mode, config, err);
        pthread_mutex_lock(&s->lock);
        a->busy = false;
        if (rc < 0) {
            unlist(a);
            account_free(a);
        }
        pthread_cond_broadcast(&s->changed);
    }
    if (rc == MOX_OK)
        *out = a;
    pthread_mutex_unlock(&s->lock);
    return rc;
}

void mox_account_close(struct mox_account *a)
{
    if (a == NULL)
        return;
    struct mox_store *s = a->store;
    pthread_mutex_lock(&s->lock);
    if (--a->refs == 0) {
        a->busy = true;
        pthread_mutex_unlock(&s->lock);
        mox__account_unload(a);
        pthread_mutex_lock(&s->lock);
        unlist(a);
        account_free(a);
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

const char *mox_account_name(const struct mox_account *a)
{
    return a->name;
}

void mox_store_close(struct mox_store *s)
{
    if (s == NULL)
        return;
    while (s->accounts != NULL) { /* callers should have closed them; their writes are not lost */
        s->accounts->refs = 1;
        mox_account_close(s->accounts);
    }
    mox__trainer_stop(s);
    mox__checkpointer_stop(s);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd);
    (void)pthread_mutex_destroy(&s->lock);
    (void)pthread_cond_destroy(&s->changed);
    mox__gate_destroy(&s->hashing);
    (void)pthread_cond_destroy(&s->checkpoint_work);
    mox__strays_forget(s);
    struct mox_env env = s->env;
    mox__mem_free(&env, s->dir);
    mox__mem_free(&env, s->spool_dir);
    mox__mem_free(&env, s);
}

/* ---- the interface ---- */

static int mailboxes(void *self, const struct mox_mailboxes **out, struct mox_error *err)
{
    struct mox_account *a = self;
    (void)err;
    pthread_mutex_lock(&a->lock);
    *out = mox__names_get(a->names);
    pthread_mutex_unlock(&a->lock);
    return MOX_OK;
}

static int status(void *self, uint64_t mailbox, struct mox_mailbox_status *out,
                  struct mox_error *err)
{
    struct mox_account *a = self;
    pthread_mutex_lock(&a->lock);
    const struct box *b = mox__box_find(a, mailbox);
    bool live = b != NULL && b->now.live;
    if (live)
        *out = (struct mox_mailbox_status){.messages = b->now.messages,
                                           .unseen = b->now.unseen,
                                           .deleted = b->now.deleted,
                                           .uidnext = b->now.uidnext,
                                           .uidvalidity = b->uidvalidity,
                                           .recent_from = b->now.recent_from,
                                           .bytes = b->now.bytes,
                                           .modseq = b->now.modseq};
    pthread_mutex_unlock(&a->lock);
    return live ? MOX_OK : mox__fail(err, MOX_EGONE, "the mailbox was removed");
}

static uint32_t claim_recent(void *self, uint64_t mailbox, uint32_t uidnext)
{
    struct mox_account *a = self;
    uint32_t from = uidnext;
    pthread_mutex_lock(&a->lock);
    struct box *b = mox__box_find(a, mailbox);
    if (b != NULL && b->now.recent_from < uidnext) {
        from = b->now.recent_from;
        b->now.recent_from = uidnext;
        b->recent_dirty = true;
    }
    pthread_mutex_unlock(&a->lock);
    return from;
}

static const char *spool_dir(void *self)
{
    return ((struct mox_account *)self)->store->spool_dir;
}

static void close_account(void *self)
{
    mox_account_close(self);
}

static const struct mox_mailstore_ops ops = {
    .size = sizeof ops,
    .mailboxes = mailboxes,
    .status = status,
    .view = mox__view,
    .fetch = mox__fetch,
    .view_ready = mox__view_ready,
    .watch = mox__watch,
    .unwatch = mox__unwatch,
    .claim_recent = claim_recent,
    .append = mox__append,
    .set_flags = mox__set_flags,
    .expunge = mox__expunge,
    .copy = mox__copy,
    .change_mailbox = mox__change_mailbox,
    .spool_dir = spool_dir,
    .close = close_account,
};

struct mox_mailstore mox_account_mailstore(struct mox_account *a)
{
    return (struct mox_mailstore){.ops = &ops, .self = a};
}
