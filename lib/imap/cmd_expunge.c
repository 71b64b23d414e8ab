/* SPDX-License-Identifier: MIT */
#include "imap/cmd_message.h"

#include "imap/session.h"

/* EXPUNGE (RFC 9051 §6.4.3) and UID EXPUNGE (§6.4.9, RFC 4315 §2.1). Only messages that this client
 * knows are removed: what came since it was told last stays, even if it is \Deleted already. The
 * EXPUNGE responses are the sync's. */

enum stage { STAGE_BEGIN, STAGE_WRITTEN };

static struct mox_expunge *new_op(struct mox_imap_server *s, struct command *c)
{
    struct mox_expunge *op = arena_new(&c->arena, struct mox_expunge, 1);
    if (op == NULL)
        return NULL;
    op->mailbox = s->mailbox;
    op->only_deleted = true;
    c->data = op;
    return op;
}

int mox__parse_expunge(struct mox_imap_server *s, struct command *c)
{
    struct mox_expunge *op = new_op(s, c);
    struct mox_uid_range *all = arena_new(&c->arena, struct mox_uid_range, 1);
    if (op == NULL || all == NULL)
        return MOX_ENOMEM;
    const uint32_t count = mox_view_count(s->view);
    if (count > 0)
        *all = (struct mox_uid_range){1, mox_view_row(s->view, count - 1)->uid};
    op->ranges = all;
    op->range_count = count > 0;
    return mox__lex_end(&c->args) ? MOX_OK : mox__lex_failure(&c->args);
}

int mox__parse_uid_expunge(struct mox_imap_server *s, struct command *c)
{
    struct mox_expunge *op = new_op(s, c);
    struct row_set rows;
    if (op == NULL)
        return MOX_ENOMEM;
    int rc = mox__message_set(s, c, SEQSET_UID, &rows);
    if (rc < 0)
        return rc;
    op->ranges = mox__row_set_uids(&c->arena, &rows, s->view);
    op->range_count = rows.count;
    if (op->ranges == NULL)
        return MOX_ENOMEM;
    return mox__lex_end(&c->args) ? MOX_OK : mox__lex_failure(&c->args);
}

enum step mox__cmd_expunge(struct mox_imap_server *s, struct command *c)
{
    struct mox_expunge *op = c->data;
    if (c->stage == STAGE_BEGIN) {
        if (op->range_count == 0)
            return mox__imap_ok(c, NULL, NULL);
        if (s->store.ops->expunge == NULL)
            return mox__imap_no(c, "CANNOT", "messages cannot be removed in this account");
        c->stage = STAGE_WRITTEN;
        mox__imap_write(s, &op->write);
        s->store.ops->expunge(s->store.self, op);
        return STEP_WAIT;
    }
    if (op->write.status < 0)
        return mox__imap_no_status(s, c, op->write.status, &op->write.error);
    return mox__imap_ok(c, NULL, NULL);
}
