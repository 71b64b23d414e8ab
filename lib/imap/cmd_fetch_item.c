/* SPDX-License-Identifier: MIT */
#include "imap/cmd_fetch.h"

#include <mox/date.h>

#include "imap/session.h"
#include "mailstore/rendered.h"
#include "message/structure.h"

/* --- values that fit in a line --- */

void mox__fetch_size(struct fetch *f, const struct mox_message_data *data)
{
    (void)data;
    mox__buf_uint(&f->server->out, mox_view_row(f->server->view, f->index)->bytes);
}

/* date-time of RFC 9051 §9, quotes included; always in UTC, as it is stored. */
#define DATE_TIME_LEN 28

static void put_digits(char *at, unsigned n)
{
    at[0] = (char)('0' + n / 10);
    at[1] = (char)('0' + n % 10);
}

void mox__fetch_internaldate(struct fetch *f, const struct mox_message_data *data)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[DATE_TIME_LEN + 1] = "\"01-Jan-1970 00:00:00 +0000\"";
    struct mox_date d;
    mox_date_from_unix(data->received_us / 1000000 - (data->received_us % 1000000 < 0), 0, &d);
    put_digits(text + 1, d.day);
    if (d.day < 10)
        text[1] = ' ';
    memcpy(text + 4, months + (size_t)(d.month - 1) * 3, 3);
    put_digits(text + 8, (unsigned)d.year / 100);
    put_digits(text + 10, (unsigned)d.year % 100);
    put_digits(text + 13, d.hour);
    put_digits(text + 16, d.minute);
    put_digits(text + 19, d.second);
    mox__buf_append(&f->server->out, text, DATE_TIME_LEN);
}

/* --- values that the store has ready --- */

struct mox_slice mox__fetch_envelope(const struct mox_message_data *data)
{
    return data->envelope;
}

struct mox_slice mox__fetch_body(const struct mox_message_data *data)
{
    return data->body;
}

struct mox_slice mox__fetch_bodystructure(const struct mox_message_data *data)
{
    return data->bodystructure;
}

/* --- values that may be long --- */

/* Sends what has room of bytes that are there, up to place->left. Subjects, addresses and names of files
 * are content too. */
static void send(struct fetch *f, struct mox_slice bytes)
{
    struct fetch_place *p = &f->place;
    size_t len = mox__imap_output_room(f->server);
    if (len > bytes.len)
        len = bytes.len;
    if (len > p->left)
        len = (size_t)p->left;
    mox__imap_put_data(f->server, slice(bytes.data, len));
    p->left -= len;
}

/* The tree of the message's parts, from the store if it has it. */
static int find_root(struct fetch *f, const struct mox_message_data *data)
{
    if (f->root != NULL)
        return MOX_OK;
    if (data->structure.len > 0) {
        int rc = mox__structure_decode(data->structure, &f->scratch, &f->root);
        if (rc != MOX_ECORRUPT)
            return rc;
    }
    int rc = mox_message_parse(&f->parsed, &f->server->env, data->content);
    if (rc == MOX_OK)
        f->root = mox_message_root(f->parsed);
    return rc;
}

static int find_source(struct fetch *f, const struct fetch_item *item,
                       const struct mox_message_data *data, struct section_source *out, bool *found)
{
    if (mox__section_needs_parts(&item->section)) {
        int rc = find_root(f, data);
        if (rc < 0)
            return rc;
    }
    *found = mox__section_find(out, &item->section, f->root, data->prefix, data->content);
    return MOX_OK;
}

/* `{bytes}` of what is wanted of a section, or NIL if there is no such section. */
static void begin_literal(struct fetch *f, const struct fetch_item *item,
                          const struct section_source *src, bool found)
{
    struct fetch_place *p = &f->place;
    struct buf *out = &f->server->out;
    if (!found) {
        f->missing = true;
        mox__buf_text(out, "NIL");
        return;
    }
    p->left = mox__section_size(src);
    if (item->partial) { /* RFC 9051 §6.4.5: beyond the end is an empty string */
        p->skip = item->offset < p->left ? item->offset : p->left;
        p->left -= p->skip;
        if (p->left > item->length)
            p->left = item->length;
    }
    mox__buf_byte(out, '{');
    mox__buf_uint(out, p->left);
    mox__buf_append(out, "}\r\n", 3);
}

/* Sends pieces of the section while there is room. The reader stays at a piece until all of it is
 * sent; place->skip says how much of it was. */
static int send_section(struct fetch *f, const struct section_source *src)
{
    struct fetch_place *p = &f->place;
    struct mox_slice piece;
    while (p->left > 0 && !mox__imap_output_full(f->server)) {
        struct section_reader after = p->reader;
        if (!mox__section_next(src, &after, &piece))
            return MOX_ECORRUPT; /* the message is shorter than it was before the pause */
        if (p->skip >= piece.len) {
            p->skip -= piece.len;
            p->reader = after;
            continue;
        }
        const uint64_t left = p->left;
        send(f, slice_from(piece, (size_t)p->skip));
        p->skip += left - p->left;
    }
    return MOX_OK;
}

static int stream_section(struct fetch *f, const struct fetch_item *item,
                          const struct mox_message_data *data, bool begin)
{
    struct section_source src;
    bool found = false;
    int rc = find_source(f, item, data, &src, &found);
    if (rc < 0)
        return rc;
    if (begin)
        begin_literal(f, item, &src, found);
    return send_section(f, &src);
}

static int stream_text(struct fetch *f, struct mox_slice text, bool begin)
{
    struct fetch_place *p = &f->place;
    if (begin && text.len == 0)
        text = slice("NIL", 3);
    if (begin)
        p->left = text.len;
    if (p->left > text.len)
        return MOX_ECORRUPT;
    send(f, slice_from(text, text.len - (size_t)p->left));
    return MOX_OK;
}

static int put_item(struct fetch *f, const struct fetch_item *item,
                    const struct mox_message_data *data)
{
    struct buf *out = &f->server->out;
    const bool begin = !f->place.in_value;
    if (begin) {
        mox__buf_byte(out, ' ');
        mox__buf_slice(out, item->label);
        mox__buf_byte(out, ' ');
        f->place.in_value = true;
    }
    if (item->attribute->write != NULL) {
        item->attribute->write(f, data);
        return MOX_OK;
    }
    if (item->attribute->stream != NULL)
        return stream_text(f, item->attribute->stream(data), begin);
    return stream_section(f, item, data, begin);
}

/* The parts are the message's, so they go with it. */
static void forget_parts(struct fetch *f)
{
    if (f->root == NULL)
        return;
    mox__arena_reset(&f->scratch);
    mox_message_free(f->parsed);
    f->parsed = NULL;
    f->root = NULL;
}

/* A store that keeps no wire forms ready gives the content, and they are worked out of that
 * (mox/mailstore.h). Never empty themselves, so an empty one was not given. */
static bool lacks_forms(const struct fetch *f, const struct mox_message_data *data)
{
    const unsigned wants = f->program.wants;
    return ((wants & MOX_FETCH_ENVELOPE) && data->envelope.len == 0) ||
           ((wants & MOX_FETCH_BODY) && data->body.len == 0) ||
           ((wants & MOX_FETCH_BODYSTRUCTURE) && data->bodystructure.len == 0);
}

static int put_items(struct fetch *f, const struct mox_message_data *data, bool *complete)
{
    struct fetch_place *p = &f->place;
    int rc = MOX_OK;
    *complete = false;
    while (p->item < f->program.count) {
        if (mox__imap_output_full(f->server))
            goto done;
        rc = put_item(f, &f->program.items[p->item], data);
        if (rc < 0 || p->left > 0)
            goto done;
        *p = (struct fetch_place){.open = true, .item = p->item + 1};
    }
    *complete = true;
done:
    forget_parts(f);
    return rc;
}

int mox__fetch_items(struct fetch *f, const struct mox_message_data *data, bool *complete)
{
    if (!lacks_forms(f, data))
        return put_items(f, data, complete);
    struct rendered forms;
    int rc = mox__rendered_init(&forms, &f->server->env, data->prefix, data->content);
    if (rc < 0)
        return rc;
    struct mox_message_data whole = *data;
    whole.envelope = forms.envelope;
    whole.body = forms.body;
    whole.bodystructure = forms.bodystructure;
    whole.structure = forms.structure;
    rc = put_items(f, &whole, complete);
    mox__rendered_free(&forms);
    return rc;
}
