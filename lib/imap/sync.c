/* SPDX-License-Identifier: MIT */
#include "imap/session.h"

#include <inttypes.h>

#include "base/mem.h"
#include "imap/flags.h"

/* Indexes of rows, growing. */
struct rows {
    uint32_t *list;
    size_t count, cap;
};

/* A comparison of what the client was told with what is there, and how far the client was told of
 * it. Numbers only: the rows are in the views. */
struct sync {
    struct mox_view *now;
    struct command *command;
    struct rows removed; /* in the view of the session, descending */
    struct rows changed; /* in `now`, ascending */
    uint32_t added;      /* the first new one in `now`; all behind it are new */
    size_t removed_told, changed_told;
    uint32_t added_told;
};

static int push(const struct mox_env *env, struct rows *rows, uint32_t index)
{
    if (!mem_room(env, &rows->list, &rows->cap, rows->count, 16))
        return MOX_ENOMEM;
    rows->list[rows->count++] = index;
    return MOX_OK;
}

static void drop(struct mox_imap_server *s)
{
    struct sync *y = s->sync;
    if (y == NULL)
        return;
    mox_view_unref(y->now);
    mox__mem_free(&s->env, y->removed.list);
    mox__mem_free(&s->env, y->changed.list);
    mox__mem_free(&s->env, y);
    s->sync = NULL;
}

int mox__imap_view(struct mox_imap_server *s, uint64_t mailbox, struct mox_view **out,
                   struct mox_error *err)
{
    const struct mox_mailstore_ops *ops = s->store.ops;
    const bool ready = ops->view_ready != NULL && ops->view_ready(s->store.self, mailbox);
    *out = NULL;
    if (!ready && !mox__imap_may_block(s))
        return MOX_LATER;
    return ops->view(s->store.self, mailbox, out, err);
}

int mox__imap_current_view(struct mox_imap_server *s, struct mox_view **out, struct mox_error *err)
{
    *out = NULL;
    if (s->gone)
        return MOX_EGONE;
    int rc = mox__imap_view(s, s->mailbox, out, err);
    s->gone = rc == MOX_EGONE;
    return rc;
}

/* --- keywords --- */

static void put_all_flags(struct mox_imap_server *s, const struct mox_view *view)
{
    unsigned count = 0;
    const char *const *names = mox_view_keywords(view, &count);
    mox__flags_write(&s->out, MOX_FLAG_ALL, UINT64_MAX, names, count, false);
}

void mox__imap_put_flag_lines(struct mox_imap_server *s, const struct mox_view *view)
{
    mox__imap_put(s, "* FLAGS ");
    put_all_flags(s, view);
    mox__imap_put(s, "\r\n* OK [PERMANENTFLAGS ");
    if (s->read_only) {
        mox__imap_put(s, "()] read-only\r\n");
        return;
    }
    unsigned count = 0;
    (void)mox_view_keywords(view, &count);
    put_all_flags(s, view);
    if (count < MOX_KEYWORDS_MAX && !s->out.failed) {
        s->out.len--; /* one more before the parenthesis: new keywords may be made */
        mox__imap_put(s, " \\*)");
    }
    mox__imap_put(s, "] flags that stay\r\n");
}

void mox__imap_tell_keywords(struct mox_imap_server *s, const struct mox_view *view)
{
    unsigned count = 0;
    (void)mox_view_keywords(view, &count);
    if (count <= s->keywords_told)
        return;
    mox__imap_put_flag_lines(s, view);
    s->keywords_told = count;
}

/* --- the selected view --- */

static void set_view(struct mox_imap_server *s, struct mox_view *view)
{
    mox_view_unref(s->view);
    mox_view_unref(s->base);
    s->view = view;
    s->base = NULL;
}

void mox__imap_select(struct mox_imap_server *s, struct mox_view *view, bool read_only)
{
    set_view(s, view);
    s->mailbox = mox_view_mailbox(view);
    s->read_only = read_only;
    s->gone = false;
    s->recent_count = 0;
    s->state = ST_SELECTED;
    (void)mox_view_keywords(view, &s->keywords_told);
    (void)mox__imap_claim_recent(s, view);
}

void mox__imap_unselect(struct mox_imap_server *s)
{
    drop(s);
    set_view(s, NULL);
    s->mailbox = 0;
    s->recent_count = 0;
    s->gone = false;
    if (s->state == ST_SELECTED)
        s->state = ST_AUTHENTICATED;
}

/* --- comparing --- */

static int note_removed(void *user, uint32_t index, const struct mox_view_row *row)
{
    struct mox_imap_server *s = user;
    (void)row;
    return push(&s->env, &s->sync->removed, index);
}

static bool looks_same(const struct mox_view_row *a, const struct mox_view_row *b)
{
    return a->flags == b->flags && a->keywords == b->keywords;
}

static struct mox_view_row as_told(struct command *c, const struct mox_view_row *before)
{
    struct mox_view_row row = *before;
    if (c->told != NULL)
        c->told(c, &row);
    return row;
}

/* Also one that looks as before: the command may have told of a change that was undone since. */
static int note_changed(void *user, uint32_t index, const struct mox_view_row *before,
                        const struct mox_view_row *now)
{
    struct mox_imap_server *s = user;
    const struct mox_view_row told = as_told(s->sync->command, before);
    if (looks_same(&told, now))
        return 0;
    return push(&s->env, &s->sync->changed, index);
}

static int note_added(void *user, uint32_t index, const struct mox_view_row *row)
{
    struct mox_imap_server *s = user;
    (void)row;
    s->sync->added = index;
    return 1; /* the others follow it */
}

static enum step compare(struct mox_imap_server *s, struct command *c)
{
    static const struct mox_view_diff diff = {note_removed, note_changed, note_added};
    struct mox_view *now = NULL;
    int rc = mox__imap_current_view(s, &now, NULL);
    if (rc == MOX_LATER)
        return STEP_RUN;
    if (rc == MOX_ENOMEM)
        return mox__imap_fail(c, rc);
    if (rc < 0 || now == s->view) { /* a mailbox that is gone has no news */
        mox_view_unref(now);
        return STEP_DONE;
    }
    s->sync = mem_new(&s->env, struct sync, 1);
    if (s->sync == NULL) {
        mox_view_unref(now);
        return mox__imap_fail(c, MOX_ENOMEM);
    }
    s->sync->now = now;
    s->sync->command = c;
    s->sync->added = mox_view_count(now);
    rc = mox_view_diff(s->view, now, &diff, s);
    return rc < 0 ? mox__imap_fail(c, rc) : STEP_DONE;
}

/* --- telling --- */

/* Ascending, each number counting what the lines before it took away. */
static bool tell_removed(struct mox_imap_server *s, struct sync *y)
{
    const struct rows *r = &y->removed;
    for (; y->removed_told < r->count; y->removed_told++) {
        if (mox__imap_output_full(s))
            return false;
        size_t index = r->list[r->count - 1 - y->removed_told];
        mox__imap_putf(s, "* %zu EXPUNGE\r\n", index + 1 - y->removed_told);
    }
    return true;
}

static void tell_row(struct mox_imap_server *s, const struct mox_view *view, uint32_t index)
{
    const struct mox_view_row *row = mox_view_row(view, index);
    mox__imap_putf(s, "* %" PRIu32 " FETCH (UID %" PRIu32 " FLAGS ", index + 1, row->uid);
    mox__imap_put_flags(s, view, row);
    mox__imap_put(s, ")\r\n");
}

static bool tell_changed(struct mox_imap_server *s, struct sync *y)
{
    for (; y->changed_told < y->changed.count; y->changed_told++) {
        if (mox__imap_output_full(s))
            return false;
        tell_row(s, y->now, y->changed.list[y->changed_told]);
    }
    return true;
}

static bool tell_added(struct mox_imap_server *s, struct sync *y)
{
    uint32_t count = mox_view_count(y->now);
    if (y->added == count)
        return true;
    if (y->added_told == 0) {
        mox__imap_putf(s, "* %" PRIu32 " EXISTS\r\n", count);
        if (mox__imap_claim_recent(s, y->now))
            mox__imap_putf(s, "* %" PRIu32 " RECENT\r\n", mox__imap_recent(s, y->now));
    }
    for (; y->added_told < count - y->added; y->added_told++) {
        uint32_t index = y->added + y->added_told;
        if (mox__imap_output_full(s) && y->added_told > 0)
            return false;
        if (mox_view_row(y->now, index)->uid != y->command->appended_uid)
            tell_row(s, y->now, index);
    }
    return true;
}

enum step mox__imap_sync(struct mox_imap_server *s, struct command *c)
{
    if (s->view == NULL)
        return STEP_DONE;
    if (s->sync == NULL) {
        enum step step = compare(s, c);
        if (step != STEP_DONE || s->sync == NULL)
            return step;
        mox__imap_tell_keywords(s, s->sync->now);
    }
    struct sync *y = s->sync;
    if (!tell_removed(s, y) || !tell_changed(s, y) || !tell_added(s, y))
        return STEP_OUTPUT;
    set_view(s, mox_view_ref(y->now));
    drop(s);
    return STEP_DONE;
}

/* --- settling --- */

/* What the client was told of by the command; and whether there is more to tell. */
struct own {
    struct mox_imap_server *s;
    struct command *command;
    struct mox_view_edit *edits;
    size_t count, cap;
    bool others;
};

static int other_removed(void *user, uint32_t index, const struct mox_view_row *row)
{
    struct own *own = user;
    (void)index;
    (void)row;
    own->others = true;
    return 0;
}

static int own_changed(void *user, uint32_t index, const struct mox_view_row *before,
                       const struct mox_view_row *now)
{
    struct own *own = user;
    struct mox_view_row told = as_told(own->command, before);
    (void)index;
    if (looks_same(&told, now)) {
        told = *now;
    } else {
        own->others = true;
        if (looks_same(&told, before))
            return 0;
    }
    if (!mem_room(&own->s->env, &own->edits, &own->cap, own->count, 16))
        return MOX_ENOMEM;
    own->edits[own->count++] = (struct mox_view_edit){.row = told};
    return 0;
}

static int other_added(void *user, uint32_t index, const struct mox_view_row *row)
{
    struct own *own = user;
    (void)index;
    (void)row;
    own->others = true;
    return 1;
}

/* The session's view as the client knows it now: what others did is told later. The messages that it
 * shows stay readable because `base`, which is the store's, stays. */
static int edit_view(struct mox_imap_server *s, const struct own *own, const struct mox_view *now)
{
    struct mox_view *view = NULL;
    struct mox_view_info info = {.size = sizeof info,
                                 .mailbox = s->mailbox,
                                 .uidvalidity = mox_view_uidvalidity(s->view),
                                 .uidnext = mox_view_uidnext(s->view),
                                 .modseq = mox_view_modseq(s->view)};
    info.keywords = mox_view_keywords(now, &info.keyword_count);
    int rc = mox_view_edit(&view, s->view, &info, own->edits, own->count);
    if (rc < 0)
        return rc;
    if (s->base == NULL)
        s->base = mox_view_ref(s->view);
    mox_view_unref(s->view);
    s->view = view;
    return MOX_OK;
}

enum step mox__imap_settle(struct mox_imap_server *s, struct command *c)
{
    static const struct mox_view_diff diff = {other_removed, own_changed, other_added};
    struct mox_view *now = NULL;
    struct own own = {.s = s, .command = c};
    int rc = mox__imap_current_view(s, &now, NULL);
    if (rc == MOX_LATER)
        return STEP_RUN;
    if (rc == MOX_OK && now != s->view) {
        rc = mox_view_diff(s->view, now, &diff, &own);
        if (rc >= 0 && !own.others)
            set_view(s, mox_view_ref(now));
        else if (rc >= 0 && own.count > 0)
            rc = edit_view(s, &own, now);
    }
    mox__mem_free(&s->env, own.edits);
    mox_view_unref(now);
    return rc == MOX_ENOMEM ? mox__imap_fail(c, rc) : STEP_DONE;
}
