/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/store.h"

/*
 * Files of bodies whose message was never committed, or is erased: left by a crash, or by a removal that
 * failed. Looking for them costs a look at each file, and whoever guesses passwords opens accounts: an
 * account that was closed without any is not looked at again by this process.
 */

/* Ids of what stays, and of what has a name that is no id of ours, are not given again. */
static int check_file(void *user, const char *folder, const char *name)
{
    struct mox_account *a = user;
    uint64_t id;
    if (!mox__slice_uint(slice_of(name), INT64_MAX, &id))
        return MOX_OK;
    bool known = false;
    sqlite3_stmt *s = db_query(&a->writer, SQL_CONTENT_FILE, V_INT(id));
    while (mox__db_step(&a->writer, s))
        known = true;
    if (id >= a->next_message)
        a->next_message = id + 1;
    if (known || a->writer.status < 0)
        return a->writer.status;
    char *path = mox__path(a->env, "%s/%s", folder, name);
    if (path != NULL && remove(path) == 0)
        log_line(a->env, MOX_LOG_INFO, "store", "removed a message file that nothing refers to",
                 NULL, F_TEXT("file", path));
    else
        a->strays = true;
    mox__mem_free(a->env, path);
    return MOX_OK;
}

/* What cannot be looked into is left as it is: no file is ever linked over another. */
static int look_into(struct mox_account *a, unsigned xx)
{
    struct mox_error err;
    char *folder = mox__path(a->env, "%s/msg/%02x", a->dir, xx);
    if (folder == NULL)
        return mox__db_fail(&a->writer, MOX_ENOMEM, "look for stray files");
    if (mox__folder_each(folder, check_file, a, &err) < 0 && a->writer.status == MOX_OK) {
        log_line(a->env, MOX_LOG_ERROR, "store", "cannot look for message files", err.text,
                 F_TEXT("account", a->name));
        a->strays = true;
    }
    mox__mem_free(a->env, folder);
    return a->writer.status;
}

/* ---- accounts without any ---- */

struct clean_account {
    struct clean_account *next;
    char *name;
};

/* Under the store's lock. */
static struct clean_account **find(struct mox_account *a)
{
    struct clean_account **at = &a->store->clean;
    while (*at != NULL && strcmp((*at)->name, a->name) != 0)
        at = &(*at)->next;
    return at;
}

static void free_one(const struct mox_env *env, struct clean_account *c)
{
    mox__mem_free(env, c->name);
    mox__mem_free(env, c);
}

int mox__strays_remove(struct mox_account *a)
{
    pthread_mutex_lock(&a->store->lock);
    const bool clean = *find(a) != NULL;
    pthread_mutex_unlock(&a->store->lock);
    a->strays = false;
    for (unsigned xx = 0; xx < 256 && !clean && a->writer.status == MOX_OK; xx++)
        (void)look_into(a, xx);
    if (a->writer.status < 0)
        a->strays = true;
    return a->writer.status;
}

void mox__strays_note(struct mox_account *a)
{
    const bool clean = !a->strays && a->doubtful_count == 0;
    pthread_mutex_lock(&a->store->lock);
    struct clean_account **at = find(a), *c = *at;
    if (clean && c == NULL && (c = mem_new(a->env, struct clean_account, 1)) != NULL) {
        c->name = mox__strndup(a->env, a->name, strlen(a->name));
        if (c->name != NULL)
            *at = c;
        else
            free_one(a->env, c);
    } else if (!clean && c != NULL) {
        *at = c->next;
        free_one(a->env, c);
    }
    pthread_mutex_unlock(&a->store->lock);
}

void mox__strays_forget(struct mox_store *s)
{
    while (s->clean != NULL) {
        struct clean_account *c = s->clean;
        s->clean = c->next;
        free_one(&s->env, c);
    }
}

void mox__body_remove(struct mox_account *a, const char *path)
{
    if (path == NULL || (remove(path) != 0 && errno != ENOENT))
        a->strays = true;
}
