/* SPDX-License-Identifier: MIT */
#include "mailstore/memory.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

static void take_roles(struct draft *d, unsigned roles)
{
    for (size_t i = 0; i < d->count; i++)
        d->list[i].special_use &= ~roles;
}

static int create(struct draft *d, const struct mox_mailbox_change *op, struct mox_error *err)
{
    const struct mox_mailbox *known = mox__memory_draft_find(d, op->name);
    if (known != NULL && known->id != 0)
        return mox__fail(err, MOX_EEXISTS, "create mailbox %s: it exists already", op->name);
    int rc = mox__memory_draft_create(d, op->name, true, NULL, err);
    if (rc < 0)
        return rc;
    take_roles(d, op->special_use);
    mox__memory_draft_find(d, op->name)->special_use = op->special_use;
    return MOX_OK;
}

/* Whether the entry lies below this name. */
static bool is_below(const struct mox_mailbox *entry, const char *name)
{
    size_t len = strlen(name);
    return strncmp(entry->name, name, len) == 0 && entry->name[len] == '/';
}

static int no_such(struct mox_error *err, const char *what, const char *name)
{
    return mox__fail(err, MOX_ENOTFOUND, "%s mailbox %s: there is none of this name", what, name);
}

static int delete (struct draft *d, const struct mox_mailbox_change *op, struct mox_error *err)
{
    struct mox_mailbox *entry = mox__memory_draft_find(d, op->name);
    if (strcmp(op->name, "Inbox") == 0)
        return mox__fail(err, MOX_EDENIED, "delete mailbox Inbox: every account has it");
    if (entry == NULL || entry->id == 0)
        return no_such(err, "delete", op->name);
    for (size_t i = 0; i < d->count; i++) {
        if (d->list[i].id != 0 && is_below(&d->list[i], op->name))
            return mox__fail(err, MOX_ECHILDREN,
                             "delete mailbox %s: it has children; delete them first", op->name);
    }
    *entry = (struct mox_mailbox){.name = entry->name, .subscribed = entry->subscribed};
    mox__memory_draft_settle(d);
    return MOX_OK;
}

/* Moves one mailbox to another name. The subscription stays with the old one. */
static int rename_one(struct draft *d, size_t index, const struct mox_mailbox_change *op,
                      struct mox_error *err)
{
    struct mox_mailbox moved = d->list[index];
    const char *rest = moved.name + strlen(op->name);
    size_t head = strlen(op->new_name), tail = strlen(rest);
    if (head + tail > MOX_MAILBOX_NAME_MAX)
        return mox__fail(err, MOX_ELIMIT,
                         "rename mailbox %s: the name of a child would be over %d bytes; take a "
                         "shorter one",
                         op->name, MOX_MAILBOX_NAME_MAX);
    char *name = mox__arena_alloc(&d->arena, head + tail + 1, 1);
    if (name == NULL)
        return mox__memory_no_room(err);
    memcpy(name, op->new_name, head);
    memcpy(name + head, rest, tail);
    d->list[index] = (struct mox_mailbox){.name = moved.name, .subscribed = moved.subscribed};
    moved.name = name;
    moved.subscribed = false;
    return mox__memory_draft_add(d, &moved, err);
}

/* The new parents. What is there already stays as it is. */
static int create_parents(struct draft *d, const char *name, struct mox_error *err)
{
    const char *slash = strrchr(name, '/');
    if (slash == NULL)
        return MOX_OK;
    const char *parent = mox__arena_strndup(&d->arena, name, (size_t)(slash - name));
    if (parent == NULL)
        return mox__memory_no_room(err);
    return mox__memory_draft_create(d, parent, false, NULL, err);
}

static int rename_check(struct draft *d, const struct mox_mailbox_change *op, struct mox_error *err)
{
    const struct mox_mailbox *from = mox__memory_draft_find(d, op->name),
                             *to = mox__memory_draft_find(d, op->new_name);
    if (from == NULL || from->id == 0)
        return no_such(err, "rename", op->name);
    if (to != NULL && to->id != 0)
        return mox__fail(err, MOX_EEXISTS, "rename mailbox %s: %s exists already", op->name,
                         op->new_name);
    return MOX_OK;
}

/* No child's new name is taken: a mailbox of that name would have the new name as its parent. */
static int rename_mailbox(struct draft *d, const struct mox_mailbox_change *op,
                          struct mox_error *err)
{
    int rc = rename_check(d, op, err);
    size_t count = d->count;
    for (size_t i = 0; i < count && rc == MOX_OK; i++) {
        if (d->list[i].id != 0 &&
            (strcmp(d->list[i].name, op->name) == 0 || is_below(&d->list[i], op->name)))
            rc = rename_one(d, i, op, err);
    }
    if (rc < 0)
        return rc;
    mox__memory_draft_settle(d);
    return create_parents(d, op->new_name, err);
}

static int subscribe(struct draft *d, const struct mox_mailbox_change *op, struct mox_error *err)
{
    const struct mox_mailbox entry = {.name = op->name, .subscribed = true};
    int rc = mox__memory_draft_add(d, &entry, err);
    if (rc == MOX_OK)
        mox__memory_draft_settle(d);
    return rc;
}

static int unsubscribe(struct draft *d, const struct mox_mailbox_change *op, struct mox_error *err)
{
    struct mox_mailbox *entry = mox__memory_draft_find(d, op->name);
    if (entry == NULL)
        return mox__fail(err, MOX_ENOTFOUND,
                         "unsubscribe %s: it is neither subscribed nor a mailbox", op->name);
    entry->subscribed = false;
    mox__memory_draft_settle(d);
    return MOX_OK;
}

static int use(struct draft *d, const struct mox_mailbox_change *op, struct mox_error *err)
{
    struct mox_mailbox *entry = mox__memory_draft_find(d, op->name);
    if (entry == NULL || entry->id == 0)
        return no_such(err, "give roles to", op->name);
    unsigned had = entry->special_use;
    take_roles(d, op->special_use);
    entry->special_use = had | op->special_use;
    return MOX_OK;
}

/* By enum mox_mailbox_change_kind. */
static int (*const kinds[])(struct draft *d, const struct mox_mailbox_change *op,
                            struct mox_error *err) = {
    [MOX_MAILBOX_CREATE] = create,           [MOX_MAILBOX_DELETE] = delete,
    [MOX_MAILBOX_RENAME] = rename_mailbox,   [MOX_MAILBOX_SUBSCRIBE] = subscribe,
    [MOX_MAILBOX_UNSUBSCRIBE] = unsubscribe, [MOX_MAILBOX_USE] = use,
};

static bool same_list(const struct draft *d)
{
    const struct mox_mailboxes *now = d->store->names;
    if (d->created_count > 0 || d->count != now->count)
        return false;
    for (size_t i = 0; i < d->count; i++) {
        const struct mox_mailbox *a = &d->list[i], *b = &now->list[i];
        if (a->id != b->id || a->subscribed != b->subscribed || a->special_use != b->special_use ||
            strcmp(a->name, b->name) != 0)
            return false;
    }
    return true;
}

static int change(struct draft *d, struct mox_mailbox_change *op, struct aftermath *after)
{
    struct mox_error *err = &op->write.error;
    struct memory *m = d->store;
    int rc = kinds[op->kind](d, op, err);
    if (rc < 0 || same_list(d))
        return rc;
    rc = mox__memory_draft_freeze(d, err);
    if (rc < 0)
        return rc;
    uint64_t removed = 0;
    if (op->kind == MOX_MAILBOX_DELETE)
        removed = mox_mailboxes_find(m->names, op->name)->id;
    op->write.modseq = ++m->modseq;
    mox__memory_draft_commit(d, m->modseq, after);
    if (removed != 0)
        mox__memory_mailbox_gone(mox__memory_mailbox(m, removed), after);
    return MOX_OK;
}

/* Inbox stays, and so do its children: its messages move to a new mailbox (RFC 9051 §6.3.6). */
static int rename_inbox(struct draft *d, struct mox_mailbox_change *op, struct aftermath *after)
{
    static const struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_error *err = &op->write.error;
    struct memory *m = d->store;
    struct transfer t = {.ranges = &all, .range_count = 1, .move = true};
    t.from = mox__memory_mailbox(m, mox__memory_draft_find(d, op->name)->id);
    int rc = rename_check(d, op, err);
    if (rc == MOX_OK)
        rc = mox__memory_draft_create(d, op->new_name, false, &t.to, err);
    if (rc == MOX_OK)
        rc = mox__memory_draft_freeze(d, err);
    if (rc == MOX_OK)
        rc = mox__memory_transfer_prepare(&t, err);
    if (rc == MOX_OK) {
        op->write.modseq = ++m->modseq;
        mox__memory_draft_commit(d, m->modseq, after);
        if (t.count > 0)
            mox__memory_transfer_commit(&t, m->modseq, after);
    }
    mox__mem_free(&m->env, t.copied);
    return rc;
}

int mox__memory_change_names(struct memory *m, struct mox_mailbox_change *op,
                             struct aftermath *after)
{
    struct draft d;
    int rc = mox__memory_draft_begin(&d, m, &op->write.error);
    if (rc == MOX_OK && op->kind == MOX_MAILBOX_RENAME && strcmp(op->name, "Inbox") == 0)
        rc = rename_inbox(&d, op, after);
    else if (rc == MOX_OK)
        rc = change(&d, op, after);
    mox__memory_draft_end(&d);
    return rc;
}
