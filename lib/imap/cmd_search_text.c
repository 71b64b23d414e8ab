/* SPDX-License-Identifier: MIT */
#include "imap/cmd_search.h"

#include <mox/date.h>

#include "base/buf.h"
#include "message/header.h"
#include "message/structure.h"
#include "message/text.h"

/* Memory for the parts of one message, and for the decoded words of one field. */
#define PARTS_MAX_BYTES (16 * 1024 * 1024)
#define VALUE_MAX_BYTES (1024 * 1024)

/* --- header fields --- */

/* Shows a value as if it stood on one line (RFC 5322 §2.2.3). */
static bool feed_unfolded(struct text_scan *scan, struct mox_slice value)
{
    bool more = true;
    while (more && value.len > 0) {
        size_t len = 0;
        while (len < value.len && value.data[len] != '\r' && value.data[len] != '\n')
            len++;
        more = mox__text_scan_feed(scan, slice(value.data, len));
        value = slice_from(value, len);
        while (value.len > 0 && (value.data[0] == '\r' || value.data[0] == '\n'))
            value = slice_from(value, 1);
    }
    return more;
}

/* Shows a value as written and, if it has encoded words (RFC 2047), as it is meant. */
static bool feed_value(struct text_scan *scan, struct search_context *x, struct mox_slice value)
{
    if (!feed_unfolded(scan, value))
        return false;
    if (memmem(value.data, value.len, "=?", 2) == NULL)
        return true;
    struct buf decoded;
    mox__buf_init(&decoded, x->env, VALUE_MAX_BYTES);
    mox__encoded_words(&decoded, x->charsets, value);
    mox__text_scan_break(scan);
    const bool more = mox__text_scan_feed(scan, slice(decoded.data, decoded.len));
    mox__buf_free(&decoded);
    return more;
}

/* Shows fields, or those of one name, one by one: no match reaches from one to the next. */
static bool feed_fields(struct text_scan *scan, struct search_context *x, struct mox_slice headers,
                        const struct mox_slice *name)
{
    struct mox_header_field field;
    size_t at = 0;
    while (mox_header_next(headers, &at, &field)) {
        if (name != NULL && !mox__slice_eq_nocase(field.name, *name))
            continue;
        mox__text_scan_break(scan);
        if (!feed_value(scan, x, name != NULL ? mox__slice_trim(field.value) : field.raw))
            return false;
    }
    return true;
}

/* An empty string asks whether the field is there at all (RFC 9051 §6.4.4). */
static bool has_field(struct mox_slice headers, struct mox_slice name)
{
    struct mox_header_field field;
    size_t at = 0;
    while (mox_header_next(headers, &at, &field)) {
        if (mox__slice_eq_nocase(field.name, name))
            return true;
    }
    return false;
}

bool mox__search_field(const struct search_node *n, struct search_context *x)
{
    const struct mox_slice name = n->arg.field.name;
    if (n->arg.field.value.len == 0)
        return has_field(x->data->prefix, name) || has_field(x->data->content, name);
    struct needle_match match = {.needle = &n->arg.field.value};
    struct text_scan scan;
    mox__text_scan_begin(&scan, &match, 1);
    return !feed_fields(&scan, x, x->data->prefix, &name) ||
           !feed_fields(&scan, x, x->data->content, &name);
}

/* --- the Date field --- */

/* The day that the field names, in its own zone: "disregarding time and timezone". */
static bool sent_day(const struct search_context *x, int64_t *day)
{
    struct mox_slice value;
    struct mox_date date;
    if (!mox__headers_find(x->data->prefix, x->data->content, "Date", &value) ||
        mox_date_parse(value, &date) < 0)
        return false;
    date.hour = date.minute = date.second = 0;
    date.zone_minutes = 0;
    const int64_t seconds = mox_date_unix(&date);
    *day = seconds / 86400 - (seconds % 86400 < 0);
    return true;
}

bool mox__search_sent_before(const struct search_node *n, struct search_context *x)
{
    int64_t day = 0;
    return sent_day(x, &day) && day < n->arg.day;
}

bool mox__search_sent_on(const struct search_node *n, struct search_context *x)
{
    int64_t day = 0;
    return sent_day(x, &day) && day == n->arg.day;
}

bool mox__search_sent_since(const struct search_node *n, struct search_context *x)
{
    int64_t day = 0;
    return sent_day(x, &day) && day >= n->arg.day;
}

/* --- text --- */

/* Less text than this is not worth a pause. */
#define PAUSE_BYTES_MIN (1024 * 1024)

/* What comes now was shown before the pause. */
static bool is_replay(const struct search_context *x)
{
    return x->pause.shown < x->pause.resume_at;
}

/* BODY keys do not see the headers of the message and of its parts. */
static void begin(struct text_scan *scan, const struct search_context *x, bool headers)
{
    const struct search_program *p = x->program;
    for (size_t i = 0; i < p->text_count; i++)
        p->matches[i].paused = headers && !p->texts[i].headers;
    if (!is_replay(x)) {
        mox__text_scan_begin(scan, p->matches, p->text_count);
        return;
    }
    mox__text_scan_resume(scan, p->matches, p->text_count);
    memcpy(scan->rest, x->pause.rest, sizeof scan->rest);
    scan->rest_len = x->pause.rest_len;
}

static bool is_time_to_pause(const struct search_context *x)
{
    const struct search_pause *p = &x->pause;
    const uint64_t bytes = p->shown - p->resume_at;
    return p->end_us != 0 && bytes >= PAUSE_BYTES_MIN &&
           (bytes >= p->bytes || x->env->monotonic_us(x->env->user) >= p->end_us);
}

struct text_sink {
    struct search_context *x;
    struct text_scan scan;
};

/* Ends the work when all is found, or to pause. */
static int show_piece(void *user, struct mox_slice piece)
{
    struct text_sink *sink = user;
    struct search_pause *p = &sink->x->pause;
    const bool replay = is_replay(sink->x);
    p->shown += piece.len; /* pieces are cut alike each time */
    if (replay)
        return MOX_OK;
    if (!mox__text_scan_feed(&sink->scan, piece))
        return MOX_LATER;
    if (!is_time_to_pause(sink->x))
        return MOX_OK;
    p->paused = true;
    memcpy(p->rest, sink->scan.rest, sizeof p->rest);
    p->rest_len = sink->scan.rest_len;
    return MOX_LATER;
}

static void show_text(struct search_context *x, const struct mox_part *part)
{
    struct text_sink sink = {.x = x};
    begin(&sink.scan, x, false);
    if (sink.scan.open == 0)
        return;
    int rc = mox__part_text(x->charsets, part, x->data->content, show_piece, &sink);
    if (rc < 0)
        x->failure = rc;
}

/* `only_text`: they are not shown to BODY keys. Those of a message inside the message are part of
 * its body. */
static void show_headers(struct search_context *x, struct mox_slice fields, bool only_text)
{
    struct text_scan scan;
    if (is_replay(x))
        return;
    begin(&scan, x, only_text);
    if (scan.open > 0)
        feed_fields(&scan, x, fields, NULL);
}

static void show_part(struct search_context *x, const struct mox_part *part)
{
    const bool of_message = part->parent == NULL || part->parent->kind == MOX_PART_MESSAGE;
    show_headers(x, mox_part_header(part, x->data->content), part->parent == NULL || !of_message);
    if (part->kind == MOX_PART_LEAF && mox_part_is_text(part))
        show_text(x, part);
    for (const struct mox_part *c = part->children; c != NULL && !x->pause.paused; c = c->next)
        show_part(x, c);
}

static int show_message(struct search_context *x)
{
    struct arena a;
    struct mox_message *parsed = NULL;
    const struct mox_part *root = NULL;
    int rc = MOX_ECORRUPT;
    mox__arena_init(&a, x->env, PARTS_MAX_BYTES);
    if (x->data->structure.len > 0)
        rc = mox__structure_decode(x->data->structure, &a, &root);
    if (rc == MOX_ECORRUPT) {
        rc = mox_message_parse(&parsed, x->env, x->data->content);
        root = rc == MOX_OK ? mox_message_root(parsed) : NULL;
    }
    if (rc == MOX_OK) {
        show_headers(x, x->data->prefix, true);
        show_part(x, root);
    }
    mox_message_free(parsed);
    mox__arena_reset(&a);
    return rc;
}

/* Looks for all texts of the program in one pass over the message, or as much of it as the time
 * allows. */
static void look_for_texts(struct search_context *x)
{
    const struct search_program *p = x->program;
    for (size_t i = 0; i < p->text_count && x->pause.resume_at == 0; i++)
        p->matches[i] = (struct needle_match){.needle = &p->texts[i].needle};
    x->pause.shown = 0;
    int rc = show_message(x);
    if (rc < 0)
        x->failure = rc;
    x->texts_done = !x->pause.paused;
    x->pause.resume_at = x->pause.paused ? x->pause.shown : 0;
}

bool mox__search_text(const struct search_node *n, struct search_context *x)
{
    if (!x->texts_done && !x->pause.paused)
        look_for_texts(x);
    return x->program->matches[n->arg.text].found;
}
