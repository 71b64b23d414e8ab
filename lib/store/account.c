/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/filter.h"
#include "store/store.h"

/* ---- files ---- */

char *mox__path(const struct mox_env *env, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    char *path = len < 0 ? NULL : mox__calloc(env, (size_t)len + 1, 1);
    if (path != NULL)
        (void)vsnprintf(path, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return path;
}

int mox__make_dir(const char *path, struct mox_error *err)
{
    if (mkdir(path, 0770) == 0 || errno == EEXIST)
        return MOX_OK;
    return mox__fail(err, mox__status_of_errno(errno), "make folder %s: %s", path, strerror(errno));
}

int mox__sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return mox__status_of_errno(errno);
    int rc = fsync(fd) == 0 ? MOX_OK : mox__status_of_errno(errno);
    (void)close(fd);
    return rc;
}

int mox__sync_new_dir(const char *path, const char *parent)
{
    int rc = mox__sync_dir(parent);
    if (rc < 0) /* unless it is made again, a later sync would succeed, and not write its name */
        (void)rmdir(path);
    return rc;
}

char *mox__account_body_path(const struct mox_account *a, uint64_t id)
{
    return mox__path(a->env, "%s/msg/%02x/%" PRIu64, a->dir, (unsigned)(id % 256), id);
}

/* ---- a new account ---- */

static const struct mox_mailbox initial[] = {
    {.name = "Sent", .special_use = MOX_USE_SENT},
    {.name = "Archive", .special_use = MOX_USE_ARCHIVE},
    {.name = "Trash", .special_use = MOX_USE_TRASH},
    {.name = "Drafts", .special_use = MOX_USE_DRAFTS},
    {.name = "Junk", .special_use = MOX_USE_JUNK},
};

/* UIDVALIDITY starts at half the seconds since 1970: an account made anew has higher ones. */
static void fill(struct mox_account *a, const struct mox_account_config *config)
{
    const struct mox_mailbox *list = config == NULL ? NULL : config->mailboxes;
    size_t count = list == NULL ? sizeof initial / sizeof initial[0] : config->mailbox_count;
    if (list == NULL)
        list = initial;
    int64_t seconds = a->env->wall_us(a->env->user) / 1000000;
    a->uidvalidity = (uint32_t)(seconds > 2 ? seconds / 2 : 1);
    a->modseq = 2;
    a->next_message = 1;
    a->arrivals_from = 1;
    (void)mox__db_run(&a->writer, SQL_BEGIN, NULL, 0);
    (void)mox__mailbox_make(a, "Inbox", 0, true, a->modseq);
    for (size_t i = 0; i < count && a->writer.status == MOX_OK; i++)
        (void)mox__mailbox_make(a, list[i].name, list[i].special_use, true, a->modseq);
    mox__boxes_flush(a);
    (void)db_run(&a->writer, SQL_ACCOUNT_WRITE, V_INT(a->modseq), V_INT(a->uidvalidity),
                 V_INT(a->next_message), V_INT(a->arrivals_from));
    (void)mox__db_run(&a->writer, SQL_COMMIT, NULL, 0);
}

/* ---- opening and closing ---- */

static int make_folder(struct mox_account *a, struct mox_error *err)
{
    char *parent = mox__path(a->env, "%s/accounts", a->store->dir);
    int rc = parent == NULL ? mox__fail(err, MOX_ENOMEM, "make an account: out of memory")
                            : mox__make_dir(parent, err);
    int synced = rc < 0 ? MOX_OK : mox__sync_new_dir(parent, a->store->dir);
    if (rc == MOX_OK && synced == MOX_OK)
        rc = mox__make_dir(a->dir, err);
    if (rc == MOX_OK && synced == MOX_OK)
        synced = mox__sync_new_dir(a->dir, parent);
    if (synced < 0)
        rc = mox__fail(err, synced, "make account folder %s: %s", a->dir, mox_status_text(synced));
    mox__mem_free(a->env, parent);
    return rc;
}

/* What a removal left when the account was closed: nobody has an old view now. And what an import left that did
 * not end. */
static void find_kept(struct mox_account *a)
{
    for (size_t i = 0; i < a->box_count; i++) {
        a->boxes[i]->abandoned = a->boxes[i]->next.live && box_is_hidden(a->boxes[i]);
        a->erase_wanted = a->erase_wanted || a->boxes[i]->abandoned;
    }
    sqlite3_stmt *s = mox__db_query(&a->writer, SQL_GONE_MAILBOXES, NULL, 0);
    while (mox__db_step(&a->writer, s)) {
        struct box *b = mox__box_find(a, (uint64_t)sqlite3_column_int64(s, 0));
        if (b != NULL) {
            b->kept_from = (uint64_t)sqlite3_column_int64(s, 1);
            a->erase_wanted = true;
        }
    }
}

static int load_memory(struct mox_account *a, const struct mox_account_config *config,
                       struct mox_error *err)
{
    int rc = mox__boxes_load(a);
    if (rc == MOX_OK && a->box_count == 0) {
        fill(a, config);
        rc = a->writer.status;
    }
    if (rc == MOX_OK)
        rc = mox__strays_remove(a);
    if (rc == MOX_OK)
        rc = mox__publish_prepare(a);
    if (rc == MOX_OK)
        rc = mox__names_build(a, &a->names);
    find_kept(a);
    mox__arrivals_open(a, a->count_arrivals, a->arrivals_from);
    rc = a->writer.status;
    if (rc < 0)
        return mox__db_open_failed(&a->writer, a->db_path, err);
    mox__publish_discard(a);
    for (size_t i = 0; i < a->box_count; i++) {
        a->boxes[i]->now = a->boxes[i]->next;
        a->boxes[i]->published = true;
        a->boxes[i]->dirty = false;
    }
    return MOX_OK;
}

/* Whoever says nothing of a filter may come between a crash and the opening with it: what was removed must be
 * readable for it until it has forgotten it. */
static int keep_for_filter(struct mox_account *a)
{
    char *path = mox__path(a->env, "%s/junk.db", a->dir);
    if (path == NULL)
        return MOX_ENOMEM;
    if (access(path, F_OK) == 0)
        a->learn_from = 1;
    mox__mem_free(a->env, path);
    return MOX_OK;
}

int mox__account_load(struct mox_account *a, enum mox_account_open mode,
                      const struct mox_account_config *config, struct mox_error *err)
{
    struct stat st;
    int rc = MOX_OK;
    if (stat(a->db_path, &st) != 0) {
        if (mode != MOX_ACCOUNT_CREATE)
            return mox__fail(err, MOX_ENOTFOUND, "open account %s: there is no such account",
                             a->name);
        rc = make_folder(a, err);
    }
    if (rc == MOX_OK)
        rc = mox__wal_settle(a->env, a->db_path, err);
    if (rc == MOX_OK)
        rc = mox__writer_open(a, err);
    if (rc == MOX_OK)
        rc = mox__schema_upgrade(&a->writer, a->db_path, err);
    if (rc == MOX_OK)
        rc = load_memory(a, config, err);
    if (rc == MOX_OK && config == NULL && keep_for_filter(a) < 0)
        rc = mox__fail(err, MOX_ENOMEM, "open account %s: out of memory", a->name);
    if (rc == MOX_OK)
        rc = mox__committer_start(a, err);
    if (rc == MOX_OK && a->filter != NULL) {
        mox__filter_file_remove(a->env, a->filter->new_path); /* what a crash left half-built */
        rc = mox__trainer_join(a->filter, err);
    }
    if (rc < 0)
        mox__account_unload(a);
    return rc;
}

/* Moved by readers, not yet in the database: written when nothing else was. */
static void save_recent(struct mox_account *a)
{
    bool dirty = false;
    for (size_t i = 0; i < a->box_count; i++)
        dirty = dirty || a->boxes[i]->recent_dirty;
    if (!dirty || a->writer.sql == NULL || a->suspect || a->stale)
        return;
    mox__db_clear(&a->writer);
    (void)mox__db_run(&a->writer, SQL_BEGIN, NULL, 0);
    mox__boxes_flush(a);
    if (mox__db_run(&a->writer, SQL_COMMIT, NULL, 0) < 0)
        (void)sqlite3_exec(a->writer.sql, "ROLLBACK", NULL, NULL, NULL);
}

void mox__account_unload(struct mox_account *a)
{
    mox__committer_stop(a);
    if (a->filter != NULL)
        mox__filter_stop(a->filter);
    mox__checkpoint_leave(a);
    mox__readers_free(a);
    save_recent(a);
    mox__strays_note(a);
    mox__publish_discard(a);
    mox__db_close(&a->writer); /* the last connection: the WAL goes into the database */
    mox__names_unref(a->names);
    a->names = NULL;
    mox__arrivals_close(a);
    mox__boxes_free(a);
}
