/* SPDX-License-Identifier: MIT */
#include "imap/cmd_fetch.h"

#include "imap/cmd_message.h"
#include "imap/session.h"

/* FETCH and UID FETCH:
 *
 *   BEGIN ──(\Seen is to be set: written)──> OPEN ──> RESPOND ──> done
 *     └────────────────────────────────────────^       ^    │ output full, or a while has passed
 *                                                      └────┘
 *
 * \Seen is on stable storage before the first response is made, so the response can name it and no
 * write is open while the client reads. */
enum stage { STAGE_BEGIN, STAGE_OPEN, STAGE_RESPOND };

/* Why the store's fetch was stopped. */
enum { EACH_GO_ON = 0, EACH_FULL = 1, EACH_PAUSE = 2 };

/* How long one step reads the store before others get the worker. */
#define SLICE_US 20000
/* The clock is read once in so many messages. */
#define SLICE_MESSAGES 16

static bool at_end(const struct fetch *f)
{
    return f->range == f->rows.count;
}

static void advance(struct fetch *f)
{
    if (++f->index < f->rows.ranges[f->range].end)
        return;
    if (++f->range < f->rows.count)
        f->index = f->rows.ranges[f->range].first;
}

/* Asked for, or changed by the command. */
static bool shows_flags(const struct fetch *f, const struct mox_view_row *row)
{
    return f->program.flags || (f->set_seen != NULL && (row->flags & MOX_FLAG_SEEN) == 0);
}

static void put_flags(struct fetch *f, const struct mox_view_row *row)
{
    const struct mox_view_row *now = mox__message_current(f->current, f->server->view, row);
    if (!shows_flags(f, row))
        return;
    mox__buf_text(&f->server->out, " FLAGS ");
    mox__imap_put_flags(f->server, now == row ? f->server->view : f->current, now);
}

static void begin_response(struct fetch *f, const struct mox_view_row *row)
{
    struct buf *out = &f->server->out;
    mox__buf_append(out, "* ", 2);
    mox__buf_uint(out, f->index + 1);
    mox__buf_append(out, " FETCH (UID ", 12);
    mox__buf_uint(out, row->uid);
    f->place.open = true;
}

static void end_response(struct fetch *f, const struct mox_view_row *row)
{
    put_flags(f, row);
    mox__buf_append(&f->server->out, ")\r\n", 3);
    f->place = (struct fetch_place){0};
}

static int respond(struct fetch *f, const struct mox_view_row *row,
                   const struct mox_message_data *data, bool *complete)
{
    *complete = false;
    if (mox__imap_output_full(f->server))
        return MOX_OK;
    if (!f->place.open)
        begin_response(f, row);
    int rc = mox__fetch_items(f, data, complete);
    if (rc == MOX_OK && *complete)
        end_response(f, row);
    return rc;
}

/* --- what the view alone can tell --- */

static enum step respond_from_view(struct fetch *f, struct command *c)
{
    while (!at_end(f)) {
        bool complete = false;
        int rc = respond(f, mox_view_row(f->server->view, f->index), NULL, &complete);
        if (rc < 0)
            return mox__imap_fail(c, rc);
        if (!complete)
            return STEP_OUTPUT;
        advance(f);
    }
    return mox__imap_ok(c, NULL, NULL);
}

/* --- what the store must tell --- */

static int each(void *user, const struct mox_message_data *data)
{
    struct fetch *f = user;
    const struct mox_view_row *row = NULL;
    for (; !at_end(f); advance(f)) {
        row = mox_view_row(f->server->view, f->index);
        if (row->uid >= data->uid)
            break;
        if (f->place.open)
            return MOX_ECORRUPT; /* half told, and now gone */
        f->lost = true;
    }
    if (at_end(f) || row->uid != data->uid)
        return EACH_GO_ON;

    bool complete = false;
    int rc = respond(f, row, data, &complete);
    if (rc < 0)
        return rc;
    if (!complete)
        return EACH_FULL;
    advance(f);
    if (++f->messages % SLICE_MESSAGES == 0 &&
        f->server->env.monotonic_us(f->server->env.user) >= f->slice_end_us)
        return EACH_PAUSE;
    return EACH_GO_ON;
}

/* A damaged message does not keep those behind it from the client. Its flags are not damaged. */
static void go_past_damaged(struct fetch *f, const struct mox_error *err)
{
    const struct mox_view_row *row = mox_view_row(f->server->view, f->index);
    if (!f->damaged)
        f->damage = *err;
    f->damaged = true;
    if (shows_flags(f, row)) {
        begin_response(f, row);
        end_response(f, row);
    }
    advance(f);
}

static enum step say_damaged(struct mox_imap_server *s, struct fetch *f, struct command *c)
{
    enum step step = mox__imap_no_status(s, c, MOX_ECORRUPT, &f->damage);
    c->text = "some messages are damaged and were left out";
    return step;
}

static enum step finish(struct mox_imap_server *s, struct fetch *f, struct command *c)
{
    if (f->damaged)
        return say_damaged(s, f, c);
    if (f->set_seen != NULL && f->set_seen->write.status < 0)
        return mox__imap_no_status(s, c, f->set_seen->write.status, &f->set_seen->write.error);
    if (f->missing)
        return mox__imap_no(c, NULL, "some messages have no such section; it is NIL for them");
    if (f->lost)
        return mox__imap_no(c, "EXPUNGEISSUED", "some messages are gone");
    return mox__imap_ok(c, NULL, NULL);
}

static enum step respond_from_store(struct mox_imap_server *s, struct fetch *f, struct command *c)
{
    struct mox_error err = {0};
    if (at_end(f))
        return finish(s, f, c);
    if (!mox__imap_may_block(s))
        return STEP_RUN;
    f->slice_end_us = s->env.monotonic_us(s->env.user) + SLICE_US;
    f->uids[f->range].first = mox_view_row(s->view, f->index)->uid;
    int rc = s->store.ops->fetch(s->store.self, s->view, f->uids + f->range,
                                 f->rows.count - f->range, f->program.wants, each, f, &err);
    if (rc == EACH_FULL)
        return STEP_OUTPUT;
    if (rc == EACH_PAUSE)
        return STEP_RUN;
    if (f->place.open) /* nothing can be said inside a response */
        return mox__imap_fail(c, rc < 0 ? rc : MOX_ECORRUPT);
    if (rc == MOX_ECORRUPT) {
        go_past_damaged(f, &err);
        return STEP_RUN;
    }
    if (rc < 0)
        return mox__imap_no_status(s, c, rc, &err);
    f->lost = f->lost || !at_end(f);
    f->range = f->rows.count;
    return finish(s, f, c);
}

/* --- \Seen --- */

/* Submits \Seen for the messages that lack it. Returns whether there is anything to wait for. */
static bool mark_seen(struct mox_imap_server *s, struct fetch *f, struct command *c)
{
    struct row_set_builder b;
    if (!f->program.seen || s->read_only || s->store.ops->set_flags == NULL)
        return false;
    mox__row_set_begin(&b, &c->arena);
    for (size_t r = 0; r < f->rows.count; r++) {
        for (uint32_t i = f->rows.ranges[r].first; i < f->rows.ranges[r].end; i++) {
            if ((mox_view_row(s->view, i)->flags & MOX_FLAG_SEEN) == 0)
                mox__row_set_add(&b, i);
        }
    }
    if (b.set.count == 0)
        return false;
    struct mox_set_flags *op = arena_new(&c->arena, struct mox_set_flags, 1);
    struct mox_uid_range *uids = mox__row_set_uids(&c->arena, &b.set, s->view);
    if (b.failed || op == NULL || uids == NULL) {
        c->failure = MOX_ENOMEM;
        return false;
    }
    *op = (struct mox_set_flags){.mailbox = s->mailbox,
                                 .ranges = uids,
                                 .range_count = b.set.count,
                                 .mode = MOX_FLAGS_ADD,
                                 .flags = MOX_FLAG_SEEN};
    f->set_seen = op;
    mox__imap_write(s, &op->write);
    s->store.ops->set_flags(s->store.self, op);
    return true;
}

/* The rows in front of f->index were answered, whatever became of the others. */
static void told(struct command *c, struct mox_view_row *row)
{
    const struct fetch *f = c->data;
    const struct mox_view *view = f->server->view;
    const uint32_t index = mox_view_find(view, row->uid);
    if (f->current != NULL && index < f->index && mox__row_set_has(&f->rows, index) &&
        shows_flags(f, row))
        *row = *mox__message_current(f->current, view, row);
}

/* --- the command --- */

static int parse(struct mox_imap_server *s, struct command *c, enum seqset_kind kind)
{
    struct fetch *f = arena_new(&c->arena, struct fetch, 1);
    if (f == NULL)
        return MOX_ENOMEM;
    f->server = s;
    c->data = f;
    c->told = told;
    mox__arena_init(&f->scratch, &s->env, FETCH_SCRATCH_MAX);
    int rc = mox__message_set(s, c, kind, &f->rows);
    if (rc < 0 || c->result != RESULT_NONE)
        return rc;
    if (!mox__lex_space(&c->args))
        return mox__lex_failure(&c->args);
    rc = mox__fetch_parse(&f->program, &c->args);
    if (rc < 0)
        return rc;
    f->uids = mox__row_set_uids(&c->arena, &f->rows, s->view);
    if (f->rows.count > 0)
        f->index = f->rows.ranges[0].first;
    return f->uids == NULL ? MOX_ENOMEM : MOX_OK;
}

int mox__parse_fetch(struct mox_imap_server *s, struct command *c)
{
    return parse(s, c, SEQSET_SEQUENCE);
}

int mox__parse_uid_fetch(struct mox_imap_server *s, struct command *c)
{
    return parse(s, c, SEQSET_UID);
}

/* Takes the view that flags are told from. */
static int open_view(struct mox_imap_server *s, struct fetch *f, struct mox_error *err)
{
    int rc = mox__imap_current_view(s, &f->current, err);
    if (rc == MOX_OK && (f->program.flags || f->set_seen != NULL))
        mox__imap_tell_keywords(s, f->current);
    return rc;
}

enum step mox__cmd_fetch(struct mox_imap_server *s, struct command *c)
{
    struct fetch *f = c->data;
    struct mox_error err = {0};
    if (c->stage == STAGE_BEGIN) {
        c->stage = STAGE_OPEN;
        if (mark_seen(s, f, c))
            return STEP_WAIT;
        if (c->failure < 0)
            return STEP_FAIL;
    }
    if (c->stage == STAGE_OPEN) {
        int rc = open_view(s, f, &err);
        if (rc == MOX_LATER)
            return STEP_RUN;
        if (rc < 0)
            return mox__imap_no_status(s, c, rc, &err);
        c->stage = STAGE_RESPOND;
    }
    return f->program.from_view ? respond_from_view(f, c) : respond_from_store(s, f, c);
}

void mox__cleanup_fetch(struct mox_imap_server *s, struct command *c)
{
    struct fetch *f = c->data;
    (void)s;
    if (f == NULL)
        return;
    mox_view_unref(f->current);
    mox__arena_reset(&f->scratch);
    mox_message_free(f->parsed);
}
