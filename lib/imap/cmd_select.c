/* SPDX-License-Identifier: MIT */
#include "imap/commands.h"

#include <inttypes.h>
#include <string.h>

#include "imap/listline.h"

/* SELECT, EXAMINE (RFC 3501 §6.3.1, §6.3.2), CLOSE (§6.4.2), UNSELECT (RFC 3691). */

struct selection {
    const char *asked; /* the name as the client wrote it, decoded */
    char name[MOX_MAILBOX_NAME_MAX + 1];
    uint64_t mailbox;
    struct mox_view *kept; /* of the mailbox before: a client that selects it again need not wait */
};

int mox__parse_select(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct selection *sel = arena_new(&c->arena, struct selection, 1);
    c->data = sel;
    if (sel == NULL)
        return MOX_ENOMEM;
    /* Parameters of RFC 4466, such as (CONDSTORE), go here. */
    if (!mox__lex_space(&c->args) || !mox__lex_mailbox(&c->args, &sel->asked) ||
        !mox__lex_end(&c->args))
        return mox__lex_failure(&c->args);
    return MOX_OK;
}

void mox__cleanup_select(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    const struct selection *sel = c->data;
    if (sel != NULL)
        mox_view_unref(sel->kept);
}

static int find(struct mox_imap_server *s, struct selection *sel)
{
    const struct mox_mailboxes *list = NULL;
    int rc = s->store.ops->mailboxes(s->store.self, &list, NULL);
    if (rc < 0)
        return rc;
    const struct mox_mailbox *m = mox_mailboxes_find(list, sel->name);
    sel->mailbox = m == NULL ? 0 : m->id;
    mox_mailboxes_unref(list);
    return sel->mailbox == 0 ? MOX_ENOTFOUND : MOX_OK;
}

static void put_lines(struct mox_imap_server *s, const struct selection *sel)
{
    const struct mox_view *v = s->view;
    uint32_t count = mox_view_count(v);
    uint32_t unseen = mox_view_first_unseen(v);
    mox__imap_put_flag_lines(s, v);
    mox__imap_putf(s, "* %" PRIu32 " RECENT\r\n", mox__imap_recent(s, v));
    mox__imap_putf(s, "* %" PRIu32 " EXISTS\r\n", count);
    if (unseen < count)
        mox__imap_putf(s, "* OK [UNSEEN %" PRIu32 "] first unseen\r\n", unseen + 1);
    mox__imap_putf(s, "* OK [UIDVALIDITY %" PRIu32 "] valid\r\n", mox_view_uidvalidity(v));
    mox__imap_putf(s, "* OK [UIDNEXT %" PRIu32 "] next\r\n", mox_view_uidnext(v));
    mox__list_line(s, "LIST", 0, sel->name);
}

/* Whatever comes of the new mailbox, the old one is closed (RFC 3501 §6.3.1). */
static enum step leave(struct mox_imap_server *s, struct command *c)
{
    struct selection *sel = c->data;
    if (s->view != NULL) {
        sel->kept = mox_view_ref(s->base != NULL ? s->base : s->view);
        mox__imap_unselect(s);
        mox__imap_put(s, "* OK [CLOSED] previous mailbox closed\r\n");
    }
    if (!mox__imap_name(c, sel->asked, sel->name))
        return STEP_DONE;
    int rc = find(s, sel);
    return rc < 0 ? mox__imap_no_status(s, c, rc, NULL) : STEP_DONE;
}

static enum step enter(struct mox_imap_server *s, struct command *c, bool read_only)
{
    struct selection *sel = c->data;
    struct mox_error err = {0};
    struct mox_view *view = NULL;
    if (c->stage++ == 0) {
        enum step step = leave(s, c);
        if (step != STEP_DONE || c->result != RESULT_NONE)
            return step;
    }
    int rc = mox__imap_view(s, sel->mailbox, &view, &err);
    if (rc == MOX_LATER)
        return STEP_RUN;
    if (rc < 0)
        return mox__imap_no_status(s, c, rc, &err);
    mox__imap_select(s, view, read_only);
    put_lines(s, sel);
    return mox__imap_ok(c, read_only ? "READ-ONLY" : "READ-WRITE", NULL);
}

enum step mox__cmd_select(struct mox_imap_server *s, struct command *c)
{
    /* A store that cannot change flags is read only throughout. */
    return enter(s, c, s->store.ops->set_flags == NULL);
}

enum step mox__cmd_examine(struct mox_imap_server *s, struct command *c)
{
    return enter(s, c, true);
}

/* --- leaving --- */

struct closing {
    struct mox_expunge expunge;
    struct mox_uid_range known; /* what arrived since is not the client's to remove */
};

static bool has_deleted(struct mox_imap_server *s)
{
    struct mox_mailbox_status status;
    return s->store.ops->status(s->store.self, s->mailbox, &status, NULL) == MOX_OK &&
           status.deleted > 0;
}

static enum step begin_close(struct mox_imap_server *s, struct command *c)
{
    struct closing *closing = arena_new(&c->arena, struct closing, 1);
    if (closing == NULL)
        return mox__imap_fail(c, MOX_ENOMEM);
    c->data = closing;
    c->stage = 1;
    closing->known = (struct mox_uid_range){1, mox_view_uidnext(s->view) - 1};
    closing->expunge = (struct mox_expunge){
        .mailbox = s->mailbox, .ranges = &closing->known, .range_count = 1, .only_deleted = true};
    mox__imap_write(s, &closing->expunge.write);
    s->store.ops->expunge(s->store.self, &closing->expunge);
    return STEP_WAIT;
}

enum step mox__cmd_close(struct mox_imap_server *s, struct command *c)
{
    const struct closing *closing = c->data;
    if (c->stage == 0 && !s->read_only && s->store.ops->expunge != NULL && has_deleted(s))
        return begin_close(s, c);
    mox__imap_unselect(s);
    if (c->stage == 1 && closing->expunge.write.status < 0 &&
        closing->expunge.write.status != MOX_EGONE)
        return mox__imap_no_status(s, c, closing->expunge.write.status,
                                   &closing->expunge.write.error);
    return mox__imap_ok(c, NULL, NULL);
}

enum step mox__cmd_unselect(struct mox_imap_server *s, struct command *c)
{
    mox__imap_unselect(s);
    return mox__imap_ok(c, NULL, NULL);
}
