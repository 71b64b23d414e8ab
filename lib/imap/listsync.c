/* SPDX-License-Identifier: MIT */
#include "imap/session.h"

#include <string.h>

#include "base/mem.h"
#include "imap/listline.h"

/* Two lists being compared, both sorted by name: how far each was looked at. The first pass tells
 * all but names that were taken over; these follow the new names of their former mailboxes, since a
 * client would take the old mailbox for the new one otherwise. */
struct list_sync {
    const struct mox_mailboxes *now;
    size_t before_at, now_at;
    bool second;
};

void mox__imap_drop_list_sync(struct mox_imap_server *s)
{
    if (s->list_sync == NULL)
        return;
    mox_mailboxes_unref(s->list_sync->now);
    mox__mem_free(&s->env, s->list_sync);
    s->list_sync = NULL;
}

static unsigned attrs_of(const struct mox_mailbox *m)
{
    return (m->subscribed ? ATTR_SUBSCRIBED : 0u) | (m->id == 0 ? ATTR_NONEXISTENT : 0u) |
           mox__list_uses(m->special_use);
}

static bool is_same(const struct mox_mailbox *a, const struct mox_mailbox *b)
{
    return a->id == b->id && a->subscribed == b->subscribed && a->special_use == b->special_use;
}

/* A name whose mailbox has moved away and that stands for another one now. */
static bool was_taken_over(const struct mox_mailboxes *now, const struct mox_mailbox *before,
                           const struct mox_mailbox *m)
{
    return before != NULL && before->id != 0 && m->id != 0 && before->id != m->id &&
           mox_mailboxes_find_id(now, before->id) != NULL;
}

/* A name that is in the list now; `before` is its former entry, or NULL. */
static void tell_name(struct mox_imap_server *s, const struct command *c,
                      const struct mox_mailbox *before, const struct mox_mailbox *m)
{
    const struct list_sync *y = s->list_sync;
    if (before != NULL && is_same(before, m))
        return;
    /* A subscription that outlived its mailbox: clients without IMAP4rev2 would take the line for a
     * new mailbox. */
    if (before != NULL && before->id != 0 && m->id == 0)
        return;
    if (was_taken_over(y->now, before, m) != y->second)
        return;
    if (c->knows_name != NULL && c->knows_name(&s->cmd, m))
        return;
    mox__list_line(s, "LIST", attrs_of(m), m->name);
}

/* A name that is gone: only the end of a subscription without mailbox is told. */
static void tell_lost(struct mox_imap_server *s, const struct command *c,
                      const struct mox_mailbox *before)
{
    struct mox_mailbox lost = *before;
    lost.subscribed = false;
    if (before->id != 0 || s->list_sync->second)
        return;
    if (c->knows_name == NULL || !c->knows_name(&s->cmd, &lost))
        mox__list_line(s, "LIST", ATTR_NONEXISTENT, lost.name);
}

/* Goes over both lists; false: the output is full. */
static bool tell(struct mox_imap_server *s, const struct command *c)
{
    struct list_sync *y = s->list_sync;
    const struct mox_mailboxes *before = s->mailboxes;
    const struct mox_mailboxes *now = y->now;
    while (y->before_at < before->count || y->now_at < now->count) {
        if (mox__imap_output_full(s))
            return false;
        const struct mox_mailbox *b =
            y->before_at < before->count ? &before->list[y->before_at] : NULL;
        const struct mox_mailbox *n = y->now_at < now->count ? &now->list[y->now_at] : NULL;
        int order = b == NULL ? 1 : n == NULL ? -1 : strcmp(b->name, n->name);
        if (order < 0)
            tell_lost(s, c, b);
        else
            tell_name(s, c, order == 0 ? b : NULL, n);
        y->before_at += order <= 0;
        y->now_at += order >= 0;
    }
    return true;
}

static int begin(struct mox_imap_server *s)
{
    const struct mox_mailboxes *now = NULL;
    int rc = s->store.ops->mailboxes(s->store.self, &now, NULL);
    if (rc < 0 || now->version == s->mailboxes->version) {
        if (rc == MOX_OK)
            mox_mailboxes_unref(now);
        return rc == MOX_ENOMEM ? rc : MOX_OK;
    }
    s->list_sync = mem_new(&s->env, struct list_sync, 1);
    if (s->list_sync == NULL) {
        mox_mailboxes_unref(now);
        return MOX_ENOMEM;
    }
    s->list_sync->now = now;
    return MOX_OK;
}

enum step mox__imap_list_sync(struct mox_imap_server *s, struct command *c)
{
    if (s->list_sync == NULL && begin(s) < 0)
        return mox__imap_fail(c, MOX_ENOMEM);
    if (s->list_sync == NULL)
        return STEP_DONE;
    if (!tell(s, c))
        return STEP_OUTPUT;
    if (!s->list_sync->second) {
        s->list_sync->second = true;
        s->list_sync->before_at = s->list_sync->now_at = 0;
        if (!tell(s, c))
            return STEP_OUTPUT;
    }
    mox_mailboxes_unref(s->mailboxes);
    s->mailboxes = mox_mailboxes_ref(s->list_sync->now);
    mox__imap_drop_list_sync(s);
    return STEP_DONE;
}
