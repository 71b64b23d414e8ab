/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/store.h"

/* Changes of the list of mailboxes. */

struct names_job {
    struct job job;
    struct mox_mailbox_change *op;
};

static bool is_below(const char *name, const char *parent)
{
    size_t len = strlen(parent);
    return strncmp(name, parent, len) == 0 && name[len] == '/';
}

static void subscribe(struct mox_account *a, const char *name)
{
    (void)db_run(&a->writer, SQL_SUBSCRIPTION_INSERT, V_TEXT(name));
    a->names_changed = true;
}

/* A role belongs to one mailbox (RFC 6154 §5.2 leaves it open; clients expect it). */
static void take_roles(struct mox_account *a, const struct box *but, unsigned roles,
                       uint64_t modseq)
{
    for (size_t i = 0; i < a->box_count; i++) {
        struct box *b = a->boxes[i];
        if (b == but || !b->next.live || (b->next.special_use & roles) == 0)
            continue;
        b->next.special_use &= ~roles;
        b->next.modseq = modseq;
        b->dirty = true;
        a->names_changed = true;
    }
}

static struct box *make_one(struct mox_account *a, const char *name, unsigned special_use,
                            bool subscribed, uint64_t modseq)
{
    struct box *b = mox__box_named(a, name);
    if (b != NULL)
        return b;
    b = mox__box_create(a, name, special_use, modseq);
    if (b != NULL && subscribed)
        subscribe(a, name);
    return b;
}

struct box *mox__mailbox_make(struct mox_account *a, const char *name, unsigned special_use,
                              bool subscribed, uint64_t modseq)
{
    char parent[MOX_MAILBOX_NAME_MAX + 1];
    for (size_t i = 0; name[i] != '\0' && i < sizeof parent; i++) {
        if (name[i] == '/') {
            parent[i] = '\0';
            if (make_one(a, parent, 0, subscribed, modseq) == NULL)
                return NULL;
        }
        parent[i] = name[i];
    }
    take_roles(a, NULL, special_use, modseq);
    return make_one(a, name, special_use, subscribed, modseq);
}

static int create(struct mox_account *a, struct job *j, const struct mox_mailbox_change *op)
{
    if (mox__box_named(a, op->name) != NULL)
        return mox__job_fail(j, MOX_EEXISTS, "create the mailbox: it exists already");
    (void)mox__mailbox_make(a, op->name, op->special_use, true, mox__next_modseq(a, j));
    return a->writer.status;
}

static int delete (struct mox_account *a, struct job *j, const struct mox_mailbox_change *op)
{
    struct box *b = mox__box_named(a, op->name);
    if (b == NULL)
        return mox__job_fail(j, MOX_ENOTFOUND, "delete the mailbox: it does not exist");
    if (strcmp(op->name, "Inbox") == 0)
        return mox__job_fail(j, MOX_EDENIED, "delete the mailbox: Inbox always exists");
    for (size_t i = 0; i < a->box_count; i++)
        if (a->boxes[i]->next.live && is_below(a->boxes[i]->name, op->name))
            return mox__job_fail(j, MOX_ECHILDREN,
                                 "delete the mailbox: it has mailboxes below "
                                 "it; delete these first");
    uint64_t modseq = mox__next_modseq(a, j);
    mox__remove_range(a, b, 1, UINT32_MAX, 0, modseq);
    b->next.live = false;
    b->next.special_use = 0;
    b->next.modseq = modseq;
    b->dirty = true;
    a->names_changed = true;
    return db_run(&a->writer, SQL_MAILBOX_REMOVE, V_INT(b->id), V_INT(modseq));
}

static int unsubscribe(struct mox_account *a, struct job *j, const struct mox_mailbox_change *op)
{
    (void)db_run(&a->writer, SQL_SUBSCRIPTION_DELETE, V_TEXT(op->name));
    if (a->writer.status < 0)
        return a->writer.status;
    if (sqlite3_changes(a->writer.sql) > 0) {
        (void)mox__next_modseq(a, j);
        a->names_changed = true;
    } else if (mox__box_named(a, op->name) == NULL) {
        return mox__job_fail(j, MOX_ENOTFOUND, "unsubscribe: there is no such subscription");
    }
    return MOX_OK;
}

static int subscribe_op(struct mox_account *a, struct job *j, const struct mox_mailbox_change *op)
{
    (void)db_run(&a->writer, SQL_SUBSCRIPTION_INSERT, V_TEXT(op->name));
    if (a->writer.status == MOX_OK && sqlite3_changes(a->writer.sql) > 0) {
        (void)mox__next_modseq(a, j);
        a->names_changed = true;
    }
    return a->writer.status;
}

static int use(struct mox_account *a, struct job *j, const struct mox_mailbox_change *op)
{
    struct box *b = mox__box_named(a, op->name);
    if (b == NULL)
        return mox__job_fail(j, MOX_ENOTFOUND, "give the mailbox a role: it does not exist");
    if ((op->special_use & ~b->next.special_use) == 0)
        return MOX_OK; /* each role has one mailbox: it has these */
    uint64_t modseq = mox__next_modseq(a, j);
    take_roles(a, b, op->special_use, modseq);
    b->next.special_use |= op->special_use;
    b->next.modseq = modseq;
    b->dirty = true;
    a->names_changed = true;
    return MOX_OK;
}

static int apply(struct mox_account *a, struct job *job)
{
    const struct mox_mailbox_change *op = ((struct names_job *)job)->op;
    switch (op->kind) {
    case MOX_MAILBOX_CREATE:
        return create(a, job, op);
    case MOX_MAILBOX_DELETE:
        return delete (a, job, op);
    case MOX_MAILBOX_RENAME:
        return mox__mailbox_rename(a, job, op->name, op->new_name);
    case MOX_MAILBOX_SUBSCRIBE:
        return subscribe_op(a, job, op);
    case MOX_MAILBOX_UNSUBSCRIBE:
        return unsubscribe(a, job, op);
    case MOX_MAILBOX_USE:
        return use(a, job, op);
    default:
        return mox__job_fail(job, MOX_EINVAL, "change mailboxes: unknown kind of change");
    }
}

static void finish(struct mox_account *a, struct job *j, int status)
{
    (void)status;
    mox__mem_free(a->env, j);
}

void mox__change_mailbox(void *self, struct mox_mailbox_change *op)
{
    struct mox_account *a = self;
    struct names_job *j = mem_new(a->env, struct names_job, 1);
    if (j == NULL) {
        mox__write_fail(&op->write, MOX_ENOMEM, "change mailboxes");
        return;
    }
    j->op = op;
    j->job = (struct job){.write = &op->write, .apply = apply, .finish = finish};
    mox__submit(a, &j->job);
}

/* §1.7 of the rules on junk: a mailbox for junk always means junk; the host says for the others. */
uint32_t mox__junk_flags(const struct mox_account *a, const struct box *b, uint32_t flags)
{
    const uint32_t both = MOX_FLAG_JUNK | MOX_FLAG_NOTJUNK;
    if ((b->next.special_use & MOX_USE_JUNK) != 0)
        return (flags & ~both) | MOX_FLAG_JUNK;
    int meaning =
        a->junk_flags == NULL ? MOX_JUNK_UNCHANGED : a->junk_flags(a->junk_flags_user, b->name);
    switch (meaning) {
    case MOX_JUNK_IS_JUNK:
        return (flags & ~both) | MOX_FLAG_JUNK;
    case MOX_JUNK_IS_NOTJUNK:
        return (flags & ~both) | MOX_FLAG_NOTJUNK;
    case MOX_JUNK_NEUTRAL:
        return flags & ~both;
    default:
        return flags;
    }
}
