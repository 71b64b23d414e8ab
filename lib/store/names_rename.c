/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/store.h"

/* RENAME (RFC 9051 §6.3.6): children come along, subscriptions and UIDVALIDITY stay as they are. */

static bool is_below(const char *name, const char *parent, size_t len)
{
    return strncmp(name, parent, len) == 0 && name[len] == '/';
}

/* The new name of a mailbox below the renamed one; false when it is too long. */
static bool new_name_of(const char *name, size_t old_len, const char *new_name,
                        char out[MOX_MAILBOX_NAME_MAX + 1])
{
    int len = snprintf(out, MOX_MAILBOX_NAME_MAX + 1, "%s%s", new_name, name + old_len);
    return len >= 0 && len <= MOX_MAILBOX_NAME_MAX;
}

/* Whether all names are free and short enough. */
static int check(struct mox_account *a, struct job *j, const char *name, const char *new_name)
{
    char target[MOX_MAILBOX_NAME_MAX + 1];
    size_t len = strlen(name);
    if (mox__box_named(a, new_name) != NULL)
        return mox__job_fail(j, MOX_EEXISTS, "rename the mailbox: the new name exists already");
    for (size_t i = 0; i < a->box_count; i++) {
        const struct box *b = a->boxes[i];
        if (!b->next.live || !is_below(b->name, name, len))
            continue;
        if (!new_name_of(b->name, len, new_name, target))
            return mox__job_fail(j, MOX_ELIMIT,
                                 "rename the mailbox: the name of a mailbox below "
                                 "it would be too long");
        const struct box *there = mox__box_named(a, target);
        if (there != NULL && !is_below(there->name, name, len))
            return mox__job_fail(j, MOX_EEXISTS,
                                 "rename the mailbox: a name below the new one "
                                 "exists already");
    }
    return MOX_OK;
}

static void rename_box(struct mox_account *a, struct box *b, const char *new_name, uint64_t modseq)
{
    char *copy = mox__strndup(a->env, new_name, strlen(new_name));
    if (copy == NULL) {
        (void)mox__db_fail(&a->writer, MOX_ENOMEM, "rename a mailbox");
        return;
    }
    mox__mem_free(a->env, b->name);
    b->name = copy;
    b->next.modseq = modseq;
    b->dirty = true;
    a->names_changed = true;
    (void)db_run(&a->writer, SQL_MAILBOX_NAME, V_INT(b->id), V_TEXT(new_name));
}

/* The parents of the new name, once the old name is free: `k` to `k/l` makes a new, empty `k`. */
static void make_parents(struct mox_account *a, const char *new_name, uint64_t modseq)
{
    char parent[MOX_MAILBOX_NAME_MAX + 1];
    const char *slash = strrchr(new_name, '/');
    if (slash == NULL)
        return;
    memcpy(parent, new_name, (size_t)(slash - new_name));
    parent[slash - new_name] = '\0';
    (void)mox__mailbox_make(a, parent, 0, false, modseq);
}

/* Children first, the longest names before their parents: when a mailbox moves below itself, the
 * new name of one can be the old name of another. */
static void rename_tree(struct mox_account *a, struct box *b, const char *new_name, uint64_t modseq)
{
    char target[MOX_MAILBOX_NAME_MAX + 1], old[MOX_MAILBOX_NAME_MAX + 1];
    (void)snprintf(old, sizeof old, "%s", b->name);
    size_t len = strlen(old);
    for (;;) {
        struct box *longest = NULL;
        for (size_t i = 0; i < a->box_count; i++) {
            struct box *c = a->boxes[i];
            if (c->next.live && c->next.modseq != modseq && is_below(c->name, old, len) &&
                (longest == NULL || strlen(c->name) > strlen(longest->name)))
                longest = c;
        }
        if (longest == NULL || a->writer.status < 0)
            break;
        if (new_name_of(longest->name, len, new_name, target))
            rename_box(a, longest, target, modseq);
    }
    rename_box(a, b, new_name, modseq);
}

/* RFC 9051 §6.3.6: the messages of Inbox move, Inbox and what is below it stay. */
static int rename_inbox(struct mox_account *a, struct job *j, struct box *inbox,
                        const char *new_name, uint64_t modseq)
{
    struct box *to = mox__mailbox_make(a, new_name, 0, false, modseq);
    if (to == NULL)
        return a->writer.status;
    struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_copy op = {.ranges = &all, .range_count = 1, .move = true};
    int rc = mox__copy_ranges(a, j, &op, inbox, to, modseq);
    mox__mem_free(a->env, op.copied);
    return rc;
}

int mox__mailbox_rename(struct mox_account *a, struct job *j, const char *name,
                        const char *new_name)
{
    struct box *b = mox__box_named(a, name);
    if (b == NULL)
        return mox__job_fail(j, MOX_ENOTFOUND, "rename the mailbox: it does not exist");
    if (strcmp(name, "Inbox") == 0) {
        if (mox__box_named(a, new_name) != NULL)
            return mox__job_fail(j, MOX_EEXISTS, "rename Inbox: the new name exists already");
        return rename_inbox(a, j, b, new_name, mox__next_modseq(a, j));
    }
    int rc = check(a, j, name, new_name);
    if (rc < 0)
        return rc;
    uint64_t modseq = mox__next_modseq(a, j);
    rename_tree(a, b, new_name, modseq);
    make_parents(a, new_name, modseq);
    return a->writer.status;
}
