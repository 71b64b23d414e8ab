/* SPDX-License-Identifier: MIT */
#include "imap/cmd_message.h"

#include "imap/flags.h"
#include "imap/session.h"

/* STORE and UID STORE (RFC 9051 §6.4.6):
 *
 *   store = "STORE" SP sequence-set SP ["+" / "-"] "FLAGS" [".SILENT"] SP (flag-list / flags)
 */

enum stage { STAGE_BEGIN, STAGE_WRITTEN, STAGE_RESPOND };

/* A STORE at work; its command's `data`. */
struct store_command {
    struct mox_imap_server *server;
    struct row_set rows;
    size_t range;   /* rows.ranges[range] is answered … */
    uint32_t index; /* … from this row on */
    bool silent;
    bool gone; /* some message was expunged by somebody else */
    struct mox_set_flags op;
    struct mox_view *current; /* after the change; ours */
    uint64_t keyword_mask;    /* op.keywords, by the bits of `current` */
};

/* ["+" / "-"] "FLAGS" [".SILENT"] */
static bool take_mode(struct lexer *l, struct store_command *st)
{
    st->op.mode = MOX_FLAGS_SET;
    if (mox__lex_peek(l) == '+' && mox__lex_byte(l, '+'))
        st->op.mode = MOX_FLAGS_ADD;
    else if (mox__lex_peek(l) == '-' && mox__lex_byte(l, '-'))
        st->op.mode = MOX_FLAGS_REMOVE;
    if (!mox__lex_word(l, "FLAGS"))
        return false;
    if (mox__lex_peek(l) != '.')
        return true;
    st->silent = true;
    return mox__lex_byte(l, '.') && mox__lex_word(l, "SILENT");
}

/* A list in parentheses, or flags up to the end of the line. */
static bool take_flags(struct lexer *l, struct mox_slice *out)
{
    if (mox__lex_peek(l) == '(')
        return mox__lex_parens(l, out) && mox__lex_end(l);
    return mox__lex_rest(l, out);
}

static int parse_flags(struct command *c, struct store_command *st, struct mox_slice text)
{
    struct flag_list list;
    struct mox_error err = {0};
    int rc = mox__flags_parse(&list, &c->arena, text, &err);
    if (rc == MOX_ENOMEM)
        return rc;
    if (rc == MOX_ELIMIT)
        mox__imap_no(c, "LIMIT", "too many flags");
    else if (rc < 0)
        mox__message_bad(c, err.text);
    st->op.flags = list.flags;
    st->op.keywords = list.keywords;
    st->op.keyword_count = list.keyword_count;
    return MOX_OK;
}

/* What the client takes the row for after STORE.SILENT: its own change of what it knew. */
static void apply(const struct store_command *st, struct mox_view_row *row)
{
    uint32_t flags = st->op.flags;
    uint64_t keywords = st->keyword_mask;
    if (st->op.mode == MOX_FLAGS_ADD) {
        flags |= row->flags;
        keywords |= row->keywords;
    } else if (st->op.mode == MOX_FLAGS_REMOVE) {
        flags = row->flags & ~flags;
        keywords = row->keywords & ~keywords;
    }
    row->flags = flags;
    row->keywords = keywords;
}

static void told(struct command *c, struct mox_view_row *row)
{
    const struct store_command *st = c->data;
    const struct mox_view *view = st->server->view;
    const uint32_t index = mox_view_find(view, row->uid);
    if (st->current == NULL || index == mox_view_count(view) || !mox__row_set_has(&st->rows, index))
        return;
    if (st->silent)
        apply(st, row);
    else
        *row = *mox__message_current(st->current, view, row);
}

static int parse(struct mox_imap_server *s, struct command *c, enum seqset_kind kind)
{
    struct store_command *st = arena_new(&c->arena, struct store_command, 1);
    struct mox_slice text;
    if (st == NULL)
        return MOX_ENOMEM;
    st->server = s;
    c->data = st;
    c->told = told;
    int rc = mox__message_set(s, c, kind, &st->rows);
    if (rc < 0 || c->result != RESULT_NONE)
        return rc;
    if (!mox__lex_space(&c->args) || !take_mode(&c->args, st) || !mox__lex_space(&c->args) ||
        !take_flags(&c->args, &text))
        return mox__lex_failure(&c->args);
    rc = parse_flags(c, st, text);
    if (rc < 0)
        return rc;
    st->op.mailbox = s->mailbox;
    st->op.ranges = mox__row_set_uids(&c->arena, &st->rows, s->view);
    st->op.range_count = st->rows.count;
    if (st->rows.count > 0)
        st->index = st->rows.ranges[0].first;
    return st->op.ranges == NULL ? MOX_ENOMEM : MOX_OK;
}

int mox__parse_store(struct mox_imap_server *s, struct command *c)
{
    return parse(s, c, SEQSET_SEQUENCE);
}

int mox__parse_uid_store(struct mox_imap_server *s, struct command *c)
{
    return parse(s, c, SEQSET_UID);
}

static enum step begin(struct mox_imap_server *s, struct store_command *st, struct command *c)
{
    if (st->rows.count == 0)
        return mox__imap_ok(c, NULL, NULL);
    if (s->store.ops->set_flags == NULL)
        return mox__imap_no(c, "CANNOT", "flags cannot be changed in this account");
    c->stage = STAGE_WRITTEN;
    mox__imap_write(s, &st->op.write);
    s->store.ops->set_flags(s->store.self, &st->op);
    return STEP_WAIT;
}

/* The flags are stored: takes the view that shows them, or MOX_LATER. */
static int written(struct mox_imap_server *s, struct store_command *st, struct mox_error *err)
{
    if (st->op.write.status < 0) {
        *err = st->op.write.error;
        return st->op.write.status;
    }
    int rc = mox__imap_current_view(s, &st->current, err);
    if (rc != MOX_OK)
        return rc;
    unsigned count = 0;
    const char *const *names = mox_view_keywords(st->current, &count);
    for (unsigned i = 0; i < count; i++) {
        for (size_t k = 0; k < st->op.keyword_count; k++) {
            if (strcmp(names[i], st->op.keywords[k]) == 0)
                st->keyword_mask |= UINT64_C(1) << i;
        }
    }
    mox__imap_tell_keywords(s, st->current);
    return MOX_OK;
}

static void put_row(struct mox_imap_server *s, struct store_command *st)
{
    const uint32_t uid = mox_view_row(s->view, st->index)->uid;
    const uint32_t index = mox_view_find(st->current, uid);
    const struct mox_view_row *now =
        index < mox_view_count(st->current) ? mox_view_row(st->current, index) : NULL;
    if (now == NULL || now->uid != uid) {
        st->gone = true;
        return;
    }
    mox__buf_append(&s->out, "* ", 2);
    mox__buf_uint(&s->out, st->index + 1);
    mox__buf_append(&s->out, " FETCH (UID ", 12);
    mox__buf_uint(&s->out, uid);
    mox__buf_append(&s->out, " FLAGS ", 7);
    mox__imap_put_flags(s, st->current, now);
    mox__buf_append(&s->out, ")\r\n", 3);
}

static enum step respond(struct mox_imap_server *s, struct store_command *st, struct command *c)
{
    for (; !st->silent && st->range < st->rows.count; st->range++) {
        if (st->index < st->rows.ranges[st->range].first)
            st->index = st->rows.ranges[st->range].first;
        for (; st->index < st->rows.ranges[st->range].end; st->index++) {
            if (mox__imap_output_full(s))
                return STEP_OUTPUT;
            put_row(s, st);
        }
    }
    /* RFC 9051 §7.1: some of them were expunged by somebody else, which cannot be told yet. */
    return st->gone ? mox__imap_ok(c, "EXPUNGEISSUED", "done, but for messages that are gone")
                    : mox__imap_ok(c, NULL, NULL);
}

enum step mox__cmd_store(struct mox_imap_server *s, struct command *c)
{
    struct store_command *st = c->data;
    struct mox_error err = {0};
    if (c->stage == STAGE_BEGIN)
        return begin(s, st, c);
    if (c->stage == STAGE_WRITTEN) {
        int rc = written(s, st, &err);
        if (rc == MOX_LATER)
            return STEP_RUN;
        if (rc < 0)
            return mox__imap_no_status(s, c, rc, &err);
        c->stage = STAGE_RESPOND;
    }
    return respond(s, st, c);
}

void mox__cleanup_store(struct mox_imap_server *s, struct command *c)
{
    struct store_command *st = c->data;
    (void)s;
    if (st != NULL)
        mox_view_unref(st->current);
}
