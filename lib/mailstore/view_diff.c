/* SPDX-License-Identifier: MIT */
/* What differs between two views. */
#include "mailstore/view.h"

#include "base/mem.h"

struct visitor {
    int (*removed)(void *user, uint32_t index, const struct mox_view_row *row);
    int (*both)(void *user, uint32_t index, const struct mox_view_row *before,
                const struct mox_view_row *now);
    void *user;
};

struct cursor {
    const struct mox_view *view;
    uint32_t run, row; /* row counts in the run */
};

static const struct run *at_run(const struct cursor *c)
{
    return &c->view->runs[c->run];
}

static const struct mox_view_row *at_row(const struct cursor *c)
{
    return c->run < c->view->run_count ? &at_run(c)->chunk->rows[c->row] : NULL;
}

static void move_on(struct cursor *c, uint32_t rows)
{
    c->row += rows;
    if (c->row < at_run(c)->count)
        return;
    c->row = 0;
    c->run++;
}

/* Rows at the same place of the same chunk are the same: how many of them follow. */
static uint32_t shared_rows(const struct cursor *a, const struct cursor *b)
{
    const struct run *x = at_run(a), *y = at_run(b);
    if (x->chunk != y->chunk || a->row != b->row)
        return 0;
    return (x->count < y->count ? x->count : y->count) - a->row;
}

/* Walks over the rows of `before`, beside those of `now` with the same UID. */
static int walk(const struct mox_view *before, const struct mox_view *now,
                const struct visitor *visit)
{
    struct cursor a = {before, 0, 0}, b = {now, 0, 0};
    int rc = 0;
    while (rc == 0 && at_row(&a) != NULL) {
        const struct mox_view_row *old = at_row(&a), *new = at_row(&b);
        uint32_t same = new != NULL ? shared_rows(&a, &b) : 0;
        if (same > 0) {
            move_on(&a, same);
            move_on(&b, same);
        } else if (new == NULL || old->uid < new->uid) {
            if (visit->removed != NULL)
                rc = visit->removed(visit->user, at_run(&a)->start + a.row, old);
            move_on(&a, 1);
        } else if (new->uid < old->uid) {
            move_on(&b, 1);
        } else {
            if (visit->both != NULL)
                rc = visit->both(visit->user, at_run(&b)->start + b.row, old, new);
            move_on(&a, 1);
            move_on(&b, 1);
        }
    }
    return rc;
}

struct removals {
    const struct mox_env *env;
    uint32_t *index;
    size_t count, cap;
};

static int note_removal(void *user, uint32_t index, const struct mox_view_row *row)
{
    struct removals *r = user;
    (void)row;
    if (!mem_room(r->env, &r->index, &r->cap, r->count, 64))
        return MOX_ENOMEM;
    r->index[r->count++] = index;
    return 0;
}

static int tell_removed(const struct mox_view *before, const struct mox_view *now,
                        const struct mox_view_diff *diff, void *user)
{
    struct removals found = {.env = &before->env};
    int rc = walk(before, now, &(struct visitor){.removed = note_removal, .user = &found});
    for (size_t i = found.count; rc == 0 && i-- > 0;)
        rc = diff->removed(user, found.index[i], mox_view_row(before, found.index[i]));
    mox__mem_free(&before->env, found.index);
    return rc;
}

struct changes {
    const struct mox_view_diff *diff;
    void *user;
};

static int tell_if_changed(void *user, uint32_t index, const struct mox_view_row *before,
                           const struct mox_view_row *now)
{
    const struct changes *c = user;
    if (before->flags == now->flags && before->keywords == now->keywords &&
        before->modseq == now->modseq)
        return 0;
    return c->diff->changed(c->user, index, before, now);
}

int mox_view_diff(const struct mox_view *before, const struct mox_view *now,
                  const struct mox_view_diff *diff, void *user)
{
    int rc = 0;
    if (before == now)
        return 0;
    if (diff->removed != NULL)
        rc = tell_removed(before, now, diff, user);
    if (rc == 0 && diff->changed != NULL)
        rc =
            walk(before, now,
                 &(struct visitor){.both = tell_if_changed, .user = &(struct changes){diff, user}});
    for (uint32_t i = mox_view_find(now, before->info.uidnext);
         rc == 0 && diff->added != NULL && i < now->count; i++)
        rc = diff->added(user, i, mox_view_row(now, i));
    return rc;
}
