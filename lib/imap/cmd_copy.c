/* SPDX-License-Identifier: MIT */
#include "imap/cmd_message.h"

#include "imap/session.h"

/* COPY and MOVE with their UID forms (RFC 9051 §6.4.7 and §6.4.8, RFC 4315, RFC 6851):
 *
 *   copy = "COPY" SP sequence-set SP mailbox
 *
 * What MOVE removes is told as EXPUNGE by the sync at its end. A set of UIDs that names no message
 * is no error (RFC 9051 §6.4.9). */

enum stage { STAGE_BEGIN, STAGE_WRITTEN };

/* A COPY or MOVE at work; its command's `data`. */
struct copy_command {
    struct row_set rows;
    struct mox_copy op;
    char name[MOX_MAILBOX_NAME_MAX + 1];
};

static int parse(struct mox_imap_server *s, struct command *c, enum seqset_kind kind)
{
    struct copy_command *cp = arena_new(&c->arena, struct copy_command, 1);
    const char *name = NULL;
    if (cp == NULL)
        return MOX_ENOMEM;
    c->data = cp;
    int rc = mox__message_set(s, c, kind, &cp->rows);
    if (rc < 0 || c->result != RESULT_NONE)
        return rc;
    if (!mox__lex_space(&c->args) || !mox__lex_mailbox(&c->args, &name) || !mox__lex_end(&c->args))
        return mox__lex_failure(&c->args);
    if (!mox__imap_name(c, name, cp->name))
        return MOX_OK;
    cp->op.mailbox = s->mailbox;
    cp->op.ranges = mox__row_set_uids(&c->arena, &cp->rows, s->view);
    cp->op.range_count = cp->rows.count;
    return cp->op.ranges == NULL ? MOX_ENOMEM : MOX_OK;
}

int mox__parse_copy(struct mox_imap_server *s, struct command *c)
{
    return parse(s, c, SEQSET_SEQUENCE);
}

int mox__parse_uid_copy(struct mox_imap_server *s, struct command *c)
{
    return parse(s, c, SEQSET_UID);
}

static enum step no_destination(struct command *c)
{
    return mox__imap_no(c, "TRYCREATE", "no such mailbox, create it first");
}

/* The id of the mailbox to copy to, 0 if there is none. */
static int find_destination(struct mox_imap_server *s, struct copy_command *cp,
                            struct mox_error *err)
{
    const struct mox_mailboxes *all = NULL;
    int rc = s->store.ops->mailboxes(s->store.self, &all, err);
    if (rc < 0)
        return rc;
    const struct mox_mailbox *m = mox_mailboxes_find(all, cp->name);
    cp->op.destination = m != NULL ? m->id : 0;
    mox_mailboxes_unref(all);
    return MOX_OK;
}

static enum step begin(struct mox_imap_server *s, struct copy_command *cp, struct command *c)
{
    struct mox_error err = {0};
    if (s->store.ops->copy == NULL)
        return mox__imap_no(c, "CANNOT", "messages cannot be copied in this account");
    int rc = find_destination(s, cp, &err);
    if (rc < 0)
        return mox__imap_no_status(s, c, rc, &err);
    if (cp->op.destination == 0)
        return no_destination(c);
    if (cp->rows.count == 0)
        return mox__imap_ok(c, NULL, NULL);
    c->stage = STAGE_WRITTEN;
    mox__imap_write(s, &cp->op.write);
    s->store.ops->copy(s->store.self, &cp->op);
    return STEP_WAIT;
}

static void put_range(struct buf *out, uint32_t first, uint32_t last)
{
    mox__buf_uint(out, first);
    if (last == first)
        return;
    mox__buf_byte(out, ':');
    mox__buf_uint(out, last);
}

/* "COPYUID" SP nz-number SP uid-set SP uid-set (RFC 4315 §3), in the arena; NULL: out of memory. */
static const char *copyuid(struct mox_imap_server *s, struct command *c, const struct mox_copy *op)
{
    struct buf text;
    mox__buf_init(&text, &s->env, SIZE_MAX);
    mox__buf_text(&text, "COPYUID ");
    mox__buf_uint(&text, op->uidvalidity);
    for (size_t i = 0; i < op->copied_count; i++) {
        mox__buf_byte(&text, i == 0 ? ' ' : ',');
        put_range(&text, op->copied[i].first, op->copied[i].last);
    }
    mox__buf_byte(&text, ' ');
    put_range(&text, op->first_uid, op->first_uid + (op->count - 1));
    const char *code = text.failed ? NULL : mox__arena_strndup(&c->arena, text.data, text.len);
    mox__buf_free(&text);
    return code;
}

static enum step written(struct mox_imap_server *s, struct copy_command *cp, struct command *c,
                         const char **code)
{
    const struct mox_copy *op = &cp->op;
    *code = NULL;
    if (op->write.status == MOX_ENOTFOUND)
        return no_destination(c);
    if (op->write.status < 0)
        return mox__imap_no_status(s, c, op->write.status, &op->write.error);
    if (op->count == 0)
        return mox__imap_no(c, "EXPUNGEISSUED", "the messages are gone");
    *code = copyuid(s, c, op);
    return *code == NULL ? mox__imap_fail(c, MOX_ENOMEM) : STEP_DONE;
}

enum step mox__cmd_copy(struct mox_imap_server *s, struct command *c)
{
    struct copy_command *cp = c->data;
    const char *code = NULL;
    if (c->stage == STAGE_BEGIN)
        return begin(s, cp, c);
    enum step step = written(s, cp, c, &code);
    return code == NULL ? step : mox__imap_ok(c, code, NULL);
}

enum step mox__cmd_move(struct mox_imap_server *s, struct command *c)
{
    struct copy_command *cp = c->data;
    const char *code = NULL;
    cp->op.move = true;
    if (c->stage == STAGE_BEGIN)
        return begin(s, cp, c);
    enum step step = written(s, cp, c, &code);
    if (code == NULL)
        return step;
    /* RFC 6851 §4.3: before the EXPUNGE responses, so that the client can tell where they went. */
    mox__imap_put(s, "* OK [");
    mox__imap_put(s, code);
    mox__imap_put(s, "] moved\r\n");
    return mox__imap_ok(c, NULL, NULL);
}

void mox__cleanup_copy(struct mox_imap_server *s, struct command *c)
{
    struct copy_command *cp = c->data;
    (void)s;
    if (cp != NULL && c->stage == STAGE_WRITTEN)
        mox_copy_free(&cp->op);
}
