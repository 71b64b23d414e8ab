/* SPDX-License-Identifier: MIT */
#include "imap/section.h"

#include "base/text.h"

/* Header fields are told apart quickly by the first letter and the length of their names: a bit for
 * each pair. Most fields of a message are none of those asked for, and end here. */
static uint64_t name_bit(struct mox_slice name)
{
    unsigned first = name.len > 0 ? to_lower(name.data[0]) : 0U;
    return UINT64_C(1) << ((first * 7U + (unsigned)name.len) & 63U);
}

void mox__section_names(struct section *s)
{
    s->name_filter = 0;
    for (size_t i = 0; i < s->name_count; i++)
        s->name_filter |= name_bit(s->names[i]);
}

bool mox__section_needs_parts(const struct section *s)
{
    return s->part_count > 0;
}

bool mox__section_in_header(const struct section *s)
{
    return s->part_count == 0 && (s->kind == SECTION_HEADER || s->kind == SECTION_FIELDS ||
                                  s->kind == SECTION_FIELDS_NOT);
}

/* Part `number` of a message: a body that is no multipart is its own part 1. */
static const struct mox_part *numbered(const struct mox_part *message, uint32_t number)
{
    if (message->kind != MOX_PART_MULTIPART)
        return number == 1 ? message : NULL;
    const struct mox_part *part = message->children;
    while (part != NULL && --number > 0)
        part = part->next;
    return part;
}

const struct mox_part *mox__section_part(const struct mox_part *root, const uint32_t *numbers,
                                         size_t count)
{
    const struct mox_part *part = count > 0 ? numbered(root, numbers[0]) : root;
    for (size_t i = 1; i < count && part != NULL; i++) {
        if (part->kind == MOX_PART_MULTIPART)
            part = numbered(part, numbers[i]);
        else if (part->kind == MOX_PART_MESSAGE && part->children != NULL)
            part = numbered(part->children, numbers[i]);
        else
            part = NULL;
    }
    return part;
}

/* Of the whole message. Its header ends where a parser says, without asking for the parts. */
static void find_top(struct section_source *out, struct mox_slice prefix, struct mox_slice content)
{
    if (out->section->kind == SECTION_ALL) {
        out->range[0] = prefix;
        out->range[1] = content;
        return;
    }
    const size_t body = mox_header_end(content);
    if (out->section->kind == SECTION_TEXT) {
        out->range[1] = slice_from(content, body);
        return;
    }
    out->range[0] = prefix;
    out->range[1] = slice(content.data, body);
}

static bool find_in_part(struct section_source *out, const struct mox_part *root,
                         const struct mox_part *part, struct mox_slice prefix,
                         struct mox_slice content)
{
    enum section_kind kind = out->section->kind;
    if (kind == SECTION_ALL) {
        out->range[1] = mox_part_body(part, content);
        return true;
    }
    if (kind == SECTION_MIME) {
        out->version =
            part == root || part->parent == NULL || part->parent->kind == MOX_PART_MESSAGE;
        if (part == root)
            out->range[0] = prefix;
        out->range[1] = mox_part_header(part, content);
        return true;
    }
    /* RFC 9051 §6.4.5.1: the others are of a message, so the part must hold one. */
    if (part->kind != MOX_PART_MESSAGE || part->children == NULL)
        return false;
    out->range[1] = kind == SECTION_TEXT ? mox_part_body(part->children, content)
                                         : mox_part_header(part->children, content);
    return true;
}

bool mox__section_find(struct section_source *out, const struct section *s,
                       const struct mox_part *root, struct mox_slice prefix,
                       struct mox_slice content)
{
    *out = (struct section_source){.section = s};
    out->filtered =
        s->kind == SECTION_FIELDS || s->kind == SECTION_FIELDS_NOT || s->kind == SECTION_MIME;
    if (s->part_count == 0) {
        find_top(out, prefix, content);
        return true;
    }
    const struct mox_part *part = mox__section_part(root, s->parts, s->part_count);
    return part != NULL && find_in_part(out, root, part, prefix, content);
}

static bool is_named(const struct section *s, struct mox_slice name)
{
    if ((s->name_filter & name_bit(name)) == 0)
        return false;
    for (size_t i = 0; i < s->name_count; i++) {
        if (s->names[i].len == name.len && mox__slice_eq_nocase(s->names[i], name))
            return true;
    }
    return false;
}

static bool is_wanted(const struct section_source *src, struct mox_slice name)
{
    switch (src->section->kind) {
    case SECTION_FIELDS:
        return is_named(src->section, name);
    case SECTION_FIELDS_NOT:
        return !is_named(src->section, name);
    default:
        return mox__slice_starts_nocase(name, "content-") ||
               (src->version && mox__slice_is_nocase(name, "mime-version"));
    }
}

static bool next_field(const struct section_source *src, struct section_reader *r,
                       struct mox_slice *piece)
{
    struct mox_header_field field;
    for (; r->range < 2; r->range++, r->at = 0) {
        while (mox_header_next(src->range[r->range], &r->at, &field)) {
            if (is_wanted(src, field.name)) {
                *piece = field.raw;
                return true;
            }
        }
    }
    if (r->range > 2)
        return false;
    r->range = 3;
    *piece = slice("\r\n", 2);
    return true;
}

bool mox__section_next(const struct section_source *src, struct section_reader *r,
                       struct mox_slice *piece)
{
    if (src->filtered)
        return next_field(src, r, piece);
    while (r->range < 2) {
        *piece = src->range[r->range++];
        if (piece->len > 0)
            return true;
    }
    return false;
}

uint64_t mox__section_size(const struct section_source *src)
{
    if (!src->filtered)
        return (uint64_t)src->range[0].len + src->range[1].len;
    struct section_reader r = {0};
    struct mox_slice piece;
    uint64_t size = 0;
    while (mox__section_next(src, &r, &piece))
        size += piece.len;
    return size;
}
