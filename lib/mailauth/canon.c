/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "mailauth/signed_message.h"

static bool is_white(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 6376 §3.4.2: unfolded, runs of white space are one space; none at both ends. `space` remembers a
 * run between two calls. */
static void relax(struct buf *out, struct mox_slice text, bool *space, bool *begun)
{
    for (size_t i = 0; i < text.len;) {
        if (is_white(text.data[i])) {
            *space = true;
            i++;
            continue;
        }
        size_t start = i;
        while (i < text.len && !is_white(text.data[i]))
            i++;
        if (*space && *begun)
            mox__buf_byte(out, ' ');
        mox__buf_append(out, text.data + start, i - start);
        *space = false;
        *begun = true;
    }
}

static void relaxed_name(struct buf *out, struct mox_slice name)
{
    uint8_t *to = mox__buf_reserve(out, name.len + 1);
    if (to == NULL)
        return;
    for (size_t i = 0; i < name.len; i++)
        to[i] = to_lower(name.data[i]);
    to[name.len] = ':';
    out->len += name.len + 1;
}

/* The field without its last line end, and without `cut`. */
static void put(struct buf *out, enum canon canon, const struct signed_field *field,
                struct mox_slice cut)
{
    size_t end = (size_t)(field->value.data + field->value.len - field->raw.data);
    struct mox_slice text = slice(field->raw.data, end), rest = slice(NULL, 0);
    bool space = false, begun = false;
    if (cut.data != NULL) {
        text.len = (size_t)(cut.data - field->raw.data);
        rest = slice_from(slice(field->raw.data, end), text.len + cut.len);
    }
    if (canon == CANON_SIMPLE) {
        mox__buf_slice(out, text);
        mox__buf_slice(out, rest);
        return;
    }
    relaxed_name(out, field->name);
    relax(out, slice_from(text, end - field->value.len), &space, &begun);
    relax(out, rest, &space, &begun);
}

void mox__canon_field(struct buf *out, enum canon canon, const struct signed_field *field)
{
    put(out, canon, field, slice(NULL, 0));
    mox__buf_text(out, "\r\n");
}

void mox__canon_signature(struct buf *out, enum canon canon, const struct signed_field *field,
                          struct mox_slice cut)
{
    put(out, canon, field, cut);
}
