/* SPDX-License-Identifier: MIT */
#include "imap/cmd_search.h"

#include "base/log.h"
#include "imap/cmd_message.h"
#include "imap/session.h"

/* SEARCH and UID SEARCH. Passes over the messages, each with more known of them than the one
 * before, and each only over those that the passes before could not judge:
 *
 *   OPEN ──> VIEW ──> ROW ──> CONTENT ──> OUTPUT ──> done
 *
 * A key that only asks for flags ends after the first, and never reads messages. */
enum stage { STAGE_OPEN, STAGE_VIEW, STAGE_ROW, STAGE_CONTENT, STAGE_OUTPUT };

/* How long one step works before others get the worker, and how much it reads: a clock may stand
 * still in a test. */
#define SLICE_US    20000
#define SLICE_BYTES (16 * 1024 * 1024)
/* The clock is read once in so many rows of the view, and for each message that is read. */
#define SLICE_ROWS 4096
/* Tests of rows that the owner of the session makes without asking for a worker: some ms. */
#define TESTS_AT_ONCE 500000
/* Ranges of UIDs that the store is asked for at once. */
#define BATCH_RANGES 256

/* A set of rows, a bit for each. */
struct rows {
    uint64_t *words;
    uint32_t count; /* of rows */
};

/* A SEARCH at work; its command's `data`. */
struct search {
    struct mox_imap_server *server;
    struct search_program program;
    bool uid;
    struct mox_view *current; /* where flags come from; ours */
    struct rows found, open;  /* open: not judged yet */
    bool damaged;             /* some message could not be read */
    uint32_t next;            /* the first row that the pass, or the output, has not come to */
    struct search_context x;
    struct charset_pool charsets;
    struct mox_uid_range ranges[BATCH_RANGES];
    uint64_t slice_bytes;
    int64_t slice_end_us;
};

static bool rows_init(struct rows *r, struct arena *a, uint32_t count)
{
    r->count = count;
    r->words = arena_new(a, uint64_t, (size_t)count / 64 + 1);
    return r->words != NULL;
}

static void rows_put(struct rows *r, uint32_t index, bool in)
{
    const uint64_t bit = UINT64_C(1) << (index % 64);
    r->words[index / 64] = in ? r->words[index / 64] | bit : r->words[index / 64] & ~bit;
}

static bool rows_has(const struct rows *r, uint32_t index)
{
    return (r->words[index / 64] >> (index % 64) & 1) != 0;
}

/* The first row of the set from `index` on, r->count if there is none. */
static uint32_t rows_next(const struct rows *r, uint32_t index)
{
    while (index < r->count) {
        const uint64_t rest = r->words[index / 64] >> (index % 64);
        if (rest & 1)
            return index;
        if (rest == 0)
            index = (index / 64 + 1) * 64;
        else
            index++;
    }
    return r->count;
}

/* --- judging --- */

static void begin_slice(struct search *q)
{
    const struct mox_env *env = &q->server->env;
    q->slice_end_us = env->monotonic_us(env->user) + SLICE_US;
    q->slice_bytes = 0;
    q->x.pause.end_us = q->slice_end_us;
    q->x.pause.bytes = SLICE_BYTES;
}

static bool is_late(const struct search *q)
{
    const struct mox_env *env = &q->server->env;
    return env->monotonic_us(env->user) >= q->slice_end_us;
}

/* Judges a row, unless the pass over a large text must pause. */
static void judge(struct search *q, uint32_t index)
{
    if (q->x.index != index)
        q->x.pause.resume_at = 0;
    q->x.index = index;
    q->x.texts_done = false;
    q->x.pause.paused = false;
    q->x.row =
        mox__message_current(q->current, q->server->view, mox_view_row(q->server->view, index));
    const enum search_verdict v = mox__search_eval(q->program.root, &q->x);
    if (q->x.pause.paused)
        return;
    rows_put(&q->open, index, v == SEARCH_UNKNOWN);
    if (v == SEARCH_YES)
        rows_put(&q->found, index, true);
}

/* Returns whether the pass is complete. */
static bool pass_view(struct search *q)
{
    q->x.level = SEARCH_VIEW;
    for (; q->next < q->open.count; q->next++) {
        if (q->next % SLICE_ROWS == SLICE_ROWS - 1 && mox__imap_may_block(q->server) && is_late(q))
            return false;
        judge(q, q->next);
    }
    q->next = 0;
    return true;
}

/* --- reading --- */

enum { EACH_GO_ON = 0, EACH_PAUSE = 1 };

static int each(void *user, const struct mox_message_data *data)
{
    struct search *q = user;
    const struct mox_view *view = q->server->view;
    const uint32_t index = mox_view_find(view, data->uid);
    if (index == q->open.count || !rows_has(&q->open, index))
        return EACH_GO_ON;
    q->x.data = data;
    judge(q, index);
    if (q->x.failure < 0)
        return q->x.failure;
    q->next = q->x.pause.paused ? index : index + 1;
    if (q->x.pause.paused)
        return EACH_PAUSE;
    q->slice_bytes += data->content.len;
    return q->slice_bytes >= SLICE_BYTES || is_late(q) ? EACH_PAUSE : EACH_GO_ON;
}

/* The next open rows as ranges of UIDs; *end is behind the last of them. */
static size_t next_batch(struct search *q, uint32_t *end)
{
    const struct mox_view *view = q->server->view;
    size_t count = 0;
    uint32_t index = rows_next(&q->open, q->next);
    while (index < q->open.count && count < BATCH_RANGES) {
        q->ranges[count].first = mox_view_row(view, index)->uid;
        while (index < q->open.count && rows_has(&q->open, index))
            index++;
        q->ranges[count++].last = mox_view_row(view, index - 1)->uid;
        *end = index;
        index = rows_next(&q->open, index);
    }
    return count;
}

static unsigned wants_of(const struct search *q)
{
    if (q->x.level < SEARCH_HEADER)
        return 0;
    return q->x.level == SEARCH_HEADER ? MOX_FETCH_HEADER : MOX_FETCH_CONTENT | MOX_FETCH_STRUCTURE;
}

/* A damaged message does not match, and does not keep others from being found. */
static void go_past_damaged(struct search *q, const struct mox_error *err)
{
    const uint32_t index = rows_next(&q->open, q->next);
    if (!q->damaged)
        log_line(&q->server->env, MOX_LOG_ERROR, "imapserver", "damaged messages are not searched",
                 err->text, F_HEX("cid", q->server->peer.cid));
    q->damaged = true;
    rows_put(&q->open, index, false);
    q->next = index + 1;
}

/* One slice of a pass over the open rows. Returns MOX_OK at its end, MOX_LATER to be called again.
 */
static int pass_store(struct search *q, enum search_level level, struct mox_error *err)
{
    const struct mox_mailstore *store = &q->server->store;
    q->x.level = level;
    begin_slice(q);
    for (;;) {
        uint32_t end = 0;
        const size_t count = next_batch(q, &end);
        if (count == 0)
            break;
        int rc = store->ops->fetch(store->self, q->server->view, q->ranges, count, wants_of(q),
                                   each, q, err);
        if (rc < 0 && rc != MOX_ECORRUPT)
            return rc;
        if (rc == EACH_PAUSE)
            return MOX_LATER;
        if (rc == MOX_ECORRUPT)
            go_past_damaged(q, err);
        else
            q->next = end;
        if (is_late(q))
            return MOX_LATER;
    }
    q->next = 0;
    return MOX_OK;
}

/* --- the result --- */

/* search-data: one line, since clients take a second one for the whole result. */
static enum step put_found(struct mox_imap_server *s, struct search *q, struct command *c)
{
    if (q->next == 0)
        mox__imap_put(s, "* SEARCH");
    for (;;) {
        const uint32_t index = rows_next(&q->found, q->next);
        if (index == q->found.count)
            break;
        if (q->next > 0 && mox__imap_output_full(s))
            return STEP_OUTPUT;
        mox__buf_byte(&s->out, ' ');
        mox__buf_uint(&s->out, q->uid ? mox_view_row(s->view, index)->uid : index + 1);
        q->next = index + 1;
    }
    mox__imap_put(s, "\r\n");
    return mox__imap_ok(c, NULL, NULL);
}

/* --- the command --- */

static int parse(struct mox_imap_server *s, struct command *c, bool uid)
{
    struct search *q = arena_new(&c->arena, struct search, 1);
    if (q == NULL)
        return MOX_ENOMEM;
    c->data = q;
    q->server = s;
    q->uid = uid;
    const struct search_session session = {
        .view = s->view, .recent = s->recent, .recent_count = s->recent_count};
    if (!mox__lex_space(&c->args))
        return mox__lex_failure(&c->args);
    int rc = mox__search_parse(&q->program, &c->args, &session);
    if (rc == MOX_EUNSUPPORTED) {
        mox__imap_no(c, "BADCHARSET (US-ASCII UTF-8)", "unknown charset");
        return MOX_OK;
    }
    if (rc < 0)
        return rc;
    const uint32_t count = mox_view_count(s->view);
    q->x.env = &s->env;
    q->x.program = &q->program;
    q->x.charsets = &q->charsets;
    return rows_init(&q->found, &c->arena, count) && rows_init(&q->open, &c->arena, count)
               ? MOX_OK
               : MOX_ENOMEM;
}

int mox__parse_search(struct mox_imap_server *s, struct command *c)
{
    return parse(s, c, false);
}

int mox__parse_uid_search(struct mox_imap_server *s, struct command *c)
{
    return parse(s, c, true);
}

static enum step open_stage(struct mox_imap_server *s, struct search *q, struct command *c)
{
    struct mox_error err = {0};
    int rc = mox__imap_current_view(s, &q->current, &err);
    if (rc == MOX_LATER)
        return STEP_RUN;
    if (rc < 0)
        return mox__imap_no_status(s, c, rc, &err);
    mox__search_find_keywords(&q->program, q->current);
    c->stage = STAGE_VIEW;
    return STEP_DONE;
}

static enum step view_stage(struct mox_imap_server *s, struct search *q, struct command *c)
{
    if (q->open.count > TESTS_AT_ONCE / q->program.nodes && !mox__imap_may_block(s))
        return STEP_RUN;
    begin_slice(q);
    if (!pass_view(q))
        return STEP_RUN;
    c->stage = q->program.level == SEARCH_VIEW ? STAGE_OUTPUT
               : q->program.has_row            ? STAGE_ROW
                                               : STAGE_CONTENT;
    return STEP_DONE;
}

static enum step store_stage(struct mox_imap_server *s, struct search *q, struct command *c)
{
    struct mox_error err = {0};
    const enum search_level level = c->stage == STAGE_ROW ? SEARCH_ROW : q->program.level;
    if (rows_next(&q->open, q->next) < q->open.count) {
        if (!mox__imap_may_block(s))
            return STEP_RUN;
        int rc = pass_store(q, level, &err);
        if (rc == MOX_LATER)
            return STEP_RUN;
        if (rc < 0)
            return mox__imap_no_status(s, c, rc, &err);
    }
    q->next = 0;
    c->stage = level == q->program.level ? STAGE_OUTPUT : STAGE_CONTENT;
    return STEP_DONE;
}

enum step mox__cmd_search(struct mox_imap_server *s, struct command *c)
{
    struct search *q = c->data;
    while (c->stage != STAGE_OUTPUT) {
        const enum step step = c->stage == STAGE_OPEN   ? open_stage(s, q, c)
                               : c->stage == STAGE_VIEW ? view_stage(s, q, c)
                                                        : store_stage(s, q, c);
        if (step != STEP_DONE || c->result != RESULT_NONE)
            return step;
    }
    return put_found(s, q, c);
}

void mox__cleanup_search(struct mox_imap_server *s, struct command *c)
{
    struct search *q = c->data;
    (void)s;
    if (q == NULL)
        return;
    mox_view_unref(q->current);
    mox__charset_pool_close(&q->charsets);
}
