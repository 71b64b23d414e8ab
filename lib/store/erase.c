/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/store.h"
#include "store/thread.h"

/* Removed messages are erased when no view shows them any more. A transaction erases a few, so that
 * writes that wait behind it wait milliseconds. */
#define ERASE_AT_ONCE 500

/* After a failure. A disk that fails does so for a while, and what is kept may be kept longer. */
#define ERASE_PAUSE_US INT64_C(10000000)

struct kept {
    uint32_t uid;
    uint64_t message;
};

static void delete_keys(struct mox_account *a, uint64_t message)
{
    sqlite3_stmt *s = db_query(&a->writer, SQL_MESSAGE_KEYS, V_INT(message));
    while (mox__db_step(&a->writer, s)) {
        const char *message_id = mox__db_text(s, 0);
        uint64_t thread = (uint64_t)sqlite3_column_int64(s, 1);
        struct mox_slice hash = mox__db_blob(s, 2);
        if (message_id != NULL)
            (void)db_run(&a->writer, SQL_KEY_DELETE, V_INT(mox__hash64(slice_of(message_id))),
                         V_INT(message));
        if (thread != message)
            (void)db_run(&a->writer, SQL_KEY_DELETE, V_INT(mox__thread_key(thread)),
                         V_INT(message));
        const char *subject = mox__db_text(s, 4);
        if (subject != NULL && subject[0] != '\0')
            (void)db_run(&a->writer, SQL_KEY_DELETE,
                         V_INT(mox__subject_key((uint64_t)sqlite3_column_int64(s, 5), subject)),
                         V_INT(message));
        if (hash.len > 0)
            (void)db_run(&a->writer, SQL_KEY_DELETE, V_INT(mox__hash64(hash)), V_INT(message));
        if (sqlite3_column_int64(s, 3) != 0 && a->erased_count < ERASE_AT_ONCE)
            a->erased_files[a->erased_count++] = message;
    }
}

void mox__message_drop(struct mox_account *a, uint64_t message)
{
    int64_t extra = 0;
    sqlite3_stmt *s = db_query(&a->writer, SQL_REF_FIND, V_INT(message));
    while (mox__db_step(&a->writer, s))
        extra = sqlite3_column_int64(s, 0);
    if (extra > 1) {
        (void)db_run(&a->writer, SQL_REF_DROP, V_INT(message));
    } else if (extra == 1) {
        (void)db_run(&a->writer, SQL_REF_DELETE, V_INT(message));
    } else {
        delete_keys(a, message);
        (void)db_run(&a->writer, SQL_CONTENT_DELETE, V_INT(message));
        (void)db_run(&a->writer, SQL_RECIPIENT_DELETE, V_INT(message));
        (void)db_run(&a->writer, SQL_MESSAGE_DELETE, V_INT(message));
    }
}

/* Up to `max` messages; returns how many. */
static size_t erase_from(struct mox_account *a, struct box *b, uint64_t modseq, size_t max)
{
    struct kept list[ERASE_AT_ONCE];
    size_t n = 0;
    sqlite3_stmt *s = db_query(&a->writer, SQL_GONE_KEPT, V_INT(b->id), V_INT(modseq), V_INT(max));
    while (mox__db_step(&a->writer, s) && n < max)
        list[n++] = (struct kept){(uint32_t)sqlite3_column_int64(s, 0),
                                  (uint64_t)sqlite3_column_int64(s, 1)};
    for (size_t i = 0; i < n && a->writer.status == MOX_OK; i++) {
        mox__message_drop(a, list[i].message);
        (void)db_run(&a->writer, SQL_GONE_ERASED, V_INT(b->id), V_INT(list[i].uid));
    }
    uint64_t oldest = 0;
    s = db_query(&a->writer, SQL_GONE_OLDEST, V_INT(b->id));
    while (mox__db_step(&a->writer, s))
        oldest = (uint64_t)sqlite3_column_int64(s, 0);
    pthread_mutex_lock(&a->lock);
    b->kept_from = oldest;
    pthread_mutex_unlock(&a->lock);
    return n;
}

/* Under the lock. */
static bool is_paused(const struct box *b)
{
    const struct mox_env *env = b->account->env;
    return b->erase_after_us != 0 && env->monotonic_us(env->user) < b->erase_after_us;
}

void mox__erase_check(struct box *b)
{
    struct mox_account *a = b->account;
    bool abandoned = b->abandoned && b->now.live;
    bool kept = b->kept_from != 0 && b->kept_from <= mox__view_erasable(b);
    if (a->erase_wanted || (!abandoned && !kept) || is_paused(b))
        return;
    a->erase_wanted = true;
    pthread_cond_signal(&a->work);
}

static size_t erase_box(struct mox_account *a, struct job *j, struct box *b, size_t max)
{
    pthread_mutex_lock(&a->lock);
    const bool paused = is_paused(b);
    uint64_t modseq = mox__view_erasable(b);
    b->erasing = !paused && b->kept_from != 0 && b->kept_from <= modseq;
    bool abandoned = !paused && b->abandoned && b->now.live;
    pthread_mutex_unlock(&a->lock);
    if (b->erasing)
        return erase_from(a, b, modseq < INT64_MAX ? modseq : INT64_MAX, max);
    return abandoned ? mox__import_erase(a, j, b, max) : 0;
}

int mox__erase_apply(struct mox_account *a, struct job *j)
{
    size_t left = ERASE_AT_ONCE;
    a->erased_count = 0;
    a->erased_files = mem_new(a->env, uint64_t, ERASE_AT_ONCE);
    if (a->erased_files == NULL)
        return mox__db_fail(&a->writer, MOX_ENOMEM, "erase messages");
    for (size_t i = 0; i < a->box_count && left > 0 && a->writer.status == MOX_OK; i++) {
        left -= erase_box(a, j, a->boxes[i], left);
        if (a->writer.status == MOX_ECORRUPT || a->writer.status == MOX_EIO)
            a->unerasable = a->boxes[i];
    }
    return a->writer.status;
}

static void remove_files(struct mox_account *a)
{
    for (size_t i = 0; i < a->erased_count; i++) {
        char *path = mox__account_body_path(a, a->erased_files[i]);
        mox__body_remove(a, path);
        mox__mem_free(a->env, path);
    }
}

/* Damage in one mailbox does not keep the others from being erased; anything else may hold for all of
 * them, and without a pause the committer would do nothing but try. Under the lock. */
static void pause_after_failure(struct mox_account *a)
{
    const int64_t until_us = a->env->monotonic_us(a->env->user) + ERASE_PAUSE_US;
    for (size_t i = 0; i < a->box_count; i++) {
        struct box *b = a->boxes[i];
        if (b->erasing)
            b->kept_from = 1; /* unknown */
        if (a->unerasable == NULL || b == a->unerasable)
            b->erase_after_us = until_us;
    }
    a->erase_paused = true;
}

void mox__erase_finish(struct mox_account *a, struct job *j, int status)
{
    (void)j;
    if (status == MOX_OK)
        remove_files(a);
    mox__mem_free(a->env, a->erased_files);
    a->erased_files = NULL;
    a->erased_count = 0;
    pthread_mutex_lock(&a->lock);
    if (status < 0)
        pause_after_failure(a);
    a->unerasable = NULL;
    for (size_t i = 0; i < a->box_count; i++) {
        a->boxes[i]->erasing = false;
        mox__erase_check(a->boxes[i]);
    }
    pthread_mutex_unlock(&a->lock);
}

void mox__erase_again(struct mox_account *a)
{
    if (!a->erase_paused)
        return;
    a->erase_paused = false;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->box_count; i++) {
        struct box *b = a->boxes[i];
        if (is_paused(b)) {
            a->erase_paused = true;
        } else if (b->erase_after_us != 0) {
            b->erase_after_us = 0;
            mox__erase_check(b);
        }
    }
    pthread_mutex_unlock(&a->lock);
}
