/* SPDX-License-Identifier: MIT */
#include "message/structure.h"

#include <string.h>

#include "base/text.h"

/*
 * One byte VERSION, then the parts, each in front of its children:
 *
 *     flags     1 byte: kind, encoding << 2, attachment << 4
 *     numbers   header - (end of the previous sibling, or body of the parent), body - header,
 *               end - body, lines; and for a multipart the number of children
 *     texts     type, subtype; and for text the charset: a length of one byte, then so many bytes
 *
 * Numbers are little-endian base 128, the high bit says that more follows.
 */
#define VERSION 1

/* Longer types and charsets are nobody's; they are cut so that a blob stays small. */
#define TEXT_MAX 127

#define NUMBER_BYTES_MAX 10 /* of 64 bits */

static void put_number(struct buf *out, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        mox__buf_byte(out, (uint8_t)(n | 0x80));
    mox__buf_byte(out, (uint8_t)n);
}

static void put_text(struct buf *out, struct mox_slice s)
{
    if (s.len > TEXT_MAX)
        s.len = TEXT_MAX;
    mox__buf_byte(out, (uint8_t)s.len);
    mox__buf_slice(out, s);
}

static void put_part(struct buf *out, const struct mox_part *part, uint64_t from)
{
    mox__buf_byte(out, (uint8_t)((unsigned)part->kind | (unsigned)part->encoding << 2 |
                                 (unsigned)part->attachment << 4));
    put_number(out, part->header - from);
    put_number(out, part->body - part->header);
    put_number(out, part->end - part->body);
    put_number(out, part->lines);
    if (part->kind == MOX_PART_MULTIPART)
        put_number(out, part->child_count);
    put_text(out, part->type);
    put_text(out, part->subtype);
    if (mox_part_is_text(part))
        put_text(out, part->charset);
}

void mox__structure_encode(const struct mox_message *m, struct buf *out)
{
    const struct mox_part *part = mox_message_root(m);
    uint64_t from = 0;
    mox__buf_byte(out, VERSION);
    for (;;) {
        put_part(out, part, from);
        if (part->children != NULL) {
            from = part->body;
            part = part->children;
            continue;
        }
        while (part->next == NULL && part->parent != NULL)
            part = part->parent;
        if (part->next == NULL)
            return;
        from = part->end;
        part = part->next;
    }
}

struct reader {
    struct mox_slice in;
    size_t at;
    bool bad; /* sticks */
};

static uint8_t take_byte(struct reader *r)
{
    if (r->at < r->in.len)
        return r->in.data[r->at++];
    r->bad = true;
    return 0;
}

static uint64_t take_number(struct reader *r)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < NUMBER_BYTES_MAX; i++) {
        uint8_t byte = take_byte(r);
        if (i == NUMBER_BYTES_MAX - 1 && byte > 1)
            break;
        n |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return n;
    }
    r->bad = true;
    return 0;
}

/* `from` and a distance, at most `limit`. */
static uint64_t take_offset(struct reader *r, uint64_t from, uint64_t limit)
{
    uint64_t distance = take_number(r);
    if (distance <= limit - from)
        return from + distance;
    r->bad = true;
    return from;
}

static struct mox_slice take_text(struct reader *r)
{
    size_t len = take_byte(r);
    if (len > TEXT_MAX || len > r->in.len - r->at) {
        r->bad = true;
        len = 0;
    }
    struct mox_slice s = slice(r->in.data + r->at, len);
    r->at += len;
    return s;
}

/* Reads a part that lies within from..limit; false if it does not or makes no sense. */
static bool take_part(struct reader *r, struct mox_part *part, uint64_t from, uint64_t limit)
{
    unsigned flags = take_byte(r);
    part->kind = (enum mox_part_kind)(flags & 3);
    part->encoding = (enum mox_encoding)(flags >> 2 & 3);
    part->attachment = (flags & 0x10) != 0;
    part->header = take_offset(r, from, limit);
    part->body = take_offset(r, part->header, limit);
    part->end = take_offset(r, part->body, limit);
    part->lines = take_number(r);
    part->child_count = part->kind == MOX_PART_MESSAGE;
    if (part->kind == MOX_PART_MULTIPART) {
        uint64_t count = take_number(r);
        r->bad |= count == 0 || count > MOX_MESSAGE_PARTS_MAX;
        part->child_count = (unsigned)count;
    }
    part->type = take_text(r);
    part->subtype = take_text(r);
    if (mox_part_is_text(part))
        part->charset = take_text(r);
    return !r->bad && flags < 0x20 && part->kind <= MOX_PART_MESSAGE && part->type.len > 0 &&
           part->subtype.len > 0 && part->lines <= part->end - part->body;
}

/* The parts around the one that is read, outermost first. */
struct open_parts {
    struct {
        struct mox_part *part, *last;
        unsigned missing; /* children not read yet */
    } list[MOX_MESSAGE_DEPTH_MAX];
    unsigned depth;
};

static void link_part(struct open_parts *open, struct mox_part *part)
{
    unsigned i = open->depth - 1;
    part->parent = open->list[i].part;
    if (open->list[i].last == NULL)
        open->list[i].part->children = part;
    else
        open->list[i].last->next = part;
    open->list[i].last = part;
    open->list[i].missing--;
}

/* Reads one part behind the one read before. */
static int read_part(struct reader *r, struct arena *a, struct open_parts *open,
                     struct mox_part **out)
{
    struct mox_part *part = *out = arena_new(a, struct mox_part, 1);
    if (part == NULL)
        return MOX_ENOMEM;
    uint64_t from = 0, limit = UINT64_MAX;
    if (open->depth > 0) {
        unsigned i = open->depth - 1;
        limit = open->list[i].part->end;
        from = open->list[i].last != NULL ? open->list[i].last->end : open->list[i].part->body;
        link_part(open, part);
    }
    if (!take_part(r, part, from, limit))
        return MOX_ECORRUPT;
    if (part->child_count == 0)
        return MOX_OK;
    if (open->depth + 1 >= MOX_MESSAGE_DEPTH_MAX)
        return MOX_ECORRUPT;
    open->list[open->depth].part = part;
    open->list[open->depth].last = NULL;
    open->list[open->depth++].missing = part->child_count;
    return MOX_OK;
}

int mox__structure_decode(struct mox_slice blob, struct arena *a, const struct mox_part **root)
{
    *root = NULL;
    struct reader r = {.in = blob};
    if (take_byte(&r) != VERSION)
        return MOX_ECORRUPT;
    struct open_parts open = {.depth = 0};
    struct mox_part *first = NULL, *part = NULL;
    int rc = read_part(&r, a, &open, &first);
    for (unsigned count = 1; rc == MOX_OK; count++) {
        while (open.depth > 0 && open.list[open.depth - 1].missing == 0)
            open.depth--;
        if (open.depth == 0)
            break;
        rc = count < MOX_MESSAGE_PARTS_MAX ? read_part(&r, a, &open, &part) : MOX_ECORRUPT;
    }
    if (rc == MOX_OK && r.at != blob.len)
        rc = MOX_ECORRUPT;
    if (rc == MOX_OK)
        *root = first;
    return rc;
}
