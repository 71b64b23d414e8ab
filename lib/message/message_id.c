/* SPDX-License-Identifier: MIT */
#include "message/thread.h"

#include <string.h>

#include "base/text.h"
#include "message/atom.h"

static bool is_white(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the quoted string at the start of id, when "@" and a domain follow; else 0. */
static size_t quoted_localpart(struct mox_slice id)
{
    if (id.len == 0 || id.data[0] != '"')
        return 0;
    size_t at = 1;
    while (at < id.len && id.data[at] != '"')
        at += id.data[at] == '\\' ? 2 : 1;
    if (at >= id.len || id.len - at < 2 || id.data[at + 1] != '@' ||
        !mox__is_domain_text(slice_from(id, at + 2)))
        return 0;
    return at + 1;
}

static void put_lower(struct buf *out, struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        mox__buf_byte(out, to_lower(s.data[i]));
}

/* A localpart in quotes, as it is written with as few of them as it takes: "a" is a, "\a b" is "a
 * b". `text` is between the quotes. */
static void put_localpart(struct buf *out, struct mox_slice text)
{
    size_t start = out->len;
    for (size_t i = 0; i < text.len; i++) {
        i += text.data[i] == '\\';
        mox__buf_byte(out, to_lower(text.data[i]));
    }
    if (out->failed || mox__is_dot_atom(slice_from(slice(out->data, out->len), start)))
        return;
    out->len = start;
    mox__buf_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        i += text.data[i] == '\\';
        if (text.data[i] == '"' || text.data[i] == '\\')
            mox__buf_byte(out, '\\');
        mox__buf_byte(out, to_lower(text.data[i]));
    }
    mox__buf_byte(out, '"');
}

/* `id` is what stands between < and >, not empty. */
static void put_canonical(struct buf *out, struct mox_slice id)
{
    size_t quoted = quoted_localpart(id);
    if (quoted > 0)
        put_localpart(out, slice(id.data + 1, quoted - 2));
    put_lower(out, slice_from(id, quoted));
}

bool mox__message_id(struct mox_slice value, struct buf *out)
{
    value = mox__slice_trim(value);
    if (value.len < 3 || value.data[0] != '<')
        return false;
    const uint8_t *end = memchr(value.data, '>', value.len);
    if (end == NULL || end == value.data + 1)
        return false;
    size_t len = (size_t)(end - value.data) - 1;
    if (len + 2 < value.len && !is_white(value.data[len + 2]))
        return false;
    put_canonical(out, slice(value.data + 1, len));
    return true;
}

/* Appends the bytes that are not white space. */
static void put_without_white(struct buf *out, struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_white(s.data[i]))
            mox__buf_byte(out, s.data[i]);
}

/* Where the next "<" with its ">" is: `open` and `close`; false if there is none. */
static bool find_id(struct mox_slice s, size_t *open, size_t *close)
{
    bool found = false;
    for (size_t i = *open; i < s.len; i++) {
        if (s.data[i] == '<') { /* also cuts off one that is open */
            *open = i;
            found = true;
        } else if (s.data[i] == '>' && found) {
            *close = i;
            return true;
        }
    }
    return false;
}

bool mox__references_next(struct references *r, struct buf *out)
{
    struct buf id;
    bool done = false;
    mox__buf_init(&id, out->env, r->text.len);
    size_t open = r->at, close = r->text.len;
    while (!done && find_id(r->text, &open, &close)) {
        mox__buf_clear(&id);
        put_without_white(&id, slice(r->text.data + open + 1, close - open - 1));
        open = close + 1;
        done = id.len > 0 || id.failed;
    }
    r->at = done ? open : r->text.len;
    if (id.len > 0)
        put_canonical(out, slice(id.data, id.len));
    out->failed |= id.failed;
    mox__buf_free(&id);
    return done && !out->failed;
}
