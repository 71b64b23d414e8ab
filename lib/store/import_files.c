/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/statvfs.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "dns/nfc.h"
#include "mailfile/mailfile.h"
#include "store/import.h"

/* What is read goes into mailboxes: the one that was asked for, and those below it for folders. A folder that was
 * for junk has junk, wherever it comes to: as "old/Junk" it would be what its user wants. */

/* A step reads up to so many messages and so much content: some milliseconds. */
#define STEP_MESSAGES 64
#define STEP_BYTES    (1024 * 1024)
/* What a disk keeps: old mail is not to take the place of mail that comes, and to undo an import takes some. */
#define FREE_MIN_MIB 64

struct import_files {
    struct mox_account *account;
    struct mox_mailfile *reader;
    struct mox_mailfile_config config;
    struct import *import;
    uint64_t max_bytes;
    uint64_t messages, bytes; /* so far */
};

/* ---- names ---- */

/* `mailbox` or `mailbox/folder` in its normal form, owned by the caller. */
static int target_name(const struct mox_env *env, const char *mailbox, const char *folder,
                       char **out, struct mox_error *err)
{
    char name[MOX_MAILBOX_NAME_MAX + 1];
    struct buf text, normal;
    struct mox_error why = {0};
    *out = NULL;
    mox__buf_init(&text, env, 3 * MOX_MAILBOX_NAME_MAX);
    mox__buf_init(&normal, env, 8 * MOX_MAILBOX_NAME_MAX); /* it may become three times as long */
    const bool fits = strlen(mailbox) + 1 + strlen(folder) <= 2 * MOX_MAILBOX_NAME_MAX;
    if (fits)
        mox__buf_printf(&text, "%s%s%s", mailbox, *folder == '\0' ? "" : "/", folder);
    int rc = !fits         ? MOX_ELIMIT
             : text.failed ? MOX_ENOMEM
                           : mox__nfc(&normal, slice(text.data, text.len));
    if (rc == MOX_EUNSUPPORTED || rc == MOX_ESYNTAX) { /* the check says why */
        mox__buf_clear(&normal);
        mox__buf_append(&normal, text.data, text.len);
        rc = MOX_OK;
    }
    mox__buf_byte(&normal, '\0');
    if (rc == MOX_OK)
        rc = normal.failed ? MOX_ENOMEM
                           : mox_mailbox_name_check((const char *)normal.data, name, &why);
    if (rc == MOX_OK && (*out = mox__strndup(env, name, strlen(name))) == NULL)
        rc = MOX_ENOMEM;
    if (rc < 0)
        (void)mox__fail(err, rc, "import%s%s: %s", *folder == '\0' ? "" : " folder ", folder,
                        why.text[0] != '\0' ? why.text : mox_status_text(rc));
    if (rc < 0 && err != NULL)
        mox__mailfile_clean(err->text);
    mox__buf_free(&text);
    mox__buf_free(&normal);
    return rc;
}

/* The end of a target's name that is the folder's: in its normal form, as expressions expect names. */
static const char *own_name(const char *target, const char *folder)
{
    const char *at = target + strlen(target);
    size_t levels = 1;
    for (; *folder != '\0'; folder++)
        levels += *folder == '/';
    while (at > target && (at[-1] != '/' || --levels > 0))
        at--;
    return at;
}

static void mark_junk(struct import_files *f, const char *const *names, size_t count)
{
    const struct mox_account *a = f->account;
    for (size_t i = 0; i < count && a->junk_flags != NULL; i++) {
        const char *folder = mox_mailfile_folder(f->reader, i);
        if (*folder != '\0' &&
            a->junk_flags(a->junk_flags_user, own_name(names[i], folder)) == MOX_JUNK_IS_JUNK)
            mox__import_is_junk(f->import, i);
    }
}

static int begin(struct import_files *f, const char *mailbox, struct mox_error *err)
{
    const struct mox_env *env = f->account->env;
    size_t count = 0;
    while (mox_mailfile_folder(f->reader, count) != NULL)
        count++;
    char **names = mem_new(env, char *, count);
    int rc = names == NULL ? mox__fail(err, MOX_ENOMEM, "import: out of memory") : MOX_OK;
    for (size_t i = 0; i < count && rc == MOX_OK; i++)
        rc = target_name(env, mailbox, mox_mailfile_folder(f->reader, i), &names[i], err);
    if (rc == MOX_OK)
        rc = mox__import_begin(&f->import, f->account, (const char *const *)names, count, err);
    if (rc == MOX_OK)
        mark_junk(f, (const char *const *)names, count);
    for (size_t i = 0; i < count && names != NULL; i++)
        mox__mem_free(env, names[i]);
    mox__mem_free(env, names);
    return rc;
}

/* ---- steps ---- */

int mox__import_files_begin(struct import_files **out, struct mox_account *a,
                            const struct mox_import *what, struct mox_error *err)
{
    struct import_files *f = mem_new(a->env, struct import_files, 1);
    *out = NULL;
    if (f == NULL)
        return mox__fail(err, MOX_ENOMEM, "import: out of memory");
    f->account = a;
    f->max_bytes = what->max_message_bytes != 0 ? what->max_message_bytes : MOX_IMPORT_MESSAGE_MAX;
    f->config = (struct mox_mailfile_config){.size = sizeof f->config,
                                             .recursive = what->recursive,
                                             .warn = what->warn,
                                             .user = what->user};
    int rc = mox_mailfile_open(&f->reader, a->env, what->kind, what->path, &f->config, err);
    if (rc == MOX_OK)
        rc = begin(f, what->mailbox, err);
    if (rc == MOX_OK)
        *out = f;
    else
        mox__import_files_end(f);
    return rc;
}

/* MOX_LATER: there may be more. */
static int read_one(struct import_files *f, struct mox_error *err)
{
    struct mox_spool *spool;
    struct mox_mailfile_item item;
    bool found = false;
    int rc = mox_spool_new(&spool, f->account->env, f->account->store->spool_dir, f->max_bytes);
    if (rc < 0)
        return mox__fail(err, rc, "import: out of memory");
    rc = mox_mailfile_next(f->reader, spool, &item, &found, err);
    if (rc < 0 || !found) {
        mox_spool_free(spool);
        return rc;
    }
    const uint64_t bytes = mox_spool_size(spool);
    rc = mox__import_add(f->import, item.folder, spool, &item, err);
    if (rc < 0)
        return rc;
    f->messages++;
    f->bytes += bytes;
    return MOX_LATER;
}

static int check_room(const struct import_files *f, struct mox_error *err)
{
    const char *dir = f->account->store->dir;
    struct statvfs fs;
    if (statvfs(dir, &fs) != 0 ||
        (uint64_t)fs.f_bavail * fs.f_frsize >= (uint64_t)FREE_MIN_MIB * 1024 * 1024)
        return MOX_LATER;
    return mox__fail(err, MOX_ENOSPACE,
                     "import: the disk of %s has less than %d MiB left, make room", dir,
                     FREE_MIN_MIB);
}

int mox__import_files_step(struct import_files *f, struct mox_error *err)
{
    const uint64_t bytes = f->bytes;
    int rc = check_room(f, err);
    for (unsigned i = 0; i < STEP_MESSAGES && f->bytes - bytes < STEP_BYTES && rc == MOX_LATER; i++)
        rc = read_one(f, err);
    if (rc == MOX_OK)
        rc = mox__import_publish(f->import, err);
    if (rc == MOX_OK)
        mox__import_warn(f->import, &f->config);
    return rc;
}

void mox__import_files_end(struct import_files *f)
{
    if (f == NULL)
        return;
    mox__import_end(f->import);
    mox_mailfile_free(f->reader);
    mox__mem_free(f->account->env, f);
}

void mox__import_files_tell(const struct import_files *f, struct mox_import *out)
{
    out->messages = f->messages;
    out->bytes = f->bytes;
}

int mox_account_import(struct mox_account *a, struct mox_import *what, struct mox_error *err)
{
    struct import_files *f;
    int rc = mox__import_files_begin(&f, a, what, err);
    if (rc < 0)
        return rc;
    do {
        rc = mox__import_files_step(f, err);
        mox__import_files_tell(f, what);
        int stop = rc == MOX_LATER && what->progress != NULL ? what->progress(what->user, what) : 0;
        if (stop != 0)
            rc = mox__fail(err, stop < 0 ? stop : MOX_EREFUSED, "import: interrupted");
    } while (rc == MOX_LATER);
    mox__import_files_end(f);
    return rc;
}
