/* SPDX-License-Identifier: MIT */
#include "mailauth/tags.h"

#include "base/text.h"

/* What is in front of the first `end`; *rest moves behind it. */
static struct mox_slice take_until(struct mox_slice *rest, uint8_t end, bool *was_last)
{
    const uint8_t *at = rest->len == 0 ? NULL : memchr(rest->data, end, rest->len);
    size_t len = at == NULL ? rest->len : (size_t)(at - rest->data);
    struct mox_slice piece = slice(rest->data, len);
    *was_last = at == NULL;
    *rest = slice_from(*rest, at == NULL ? len : len + 1);
    return piece;
}

/* tag-name = ALPHA *ALNUMPUNC; a digit in front does no harm. */
static bool is_name(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alpha(s.data[i]) && !is_digit(s.data[i]) && s.data[i] != '_')
            return false;
    return s.len > 0;
}

enum tag_result mox__tag_next(struct mox_slice *rest, struct tag *out)
{
    bool last;
    if (mox__slice_trim(*rest).len == 0)
        return TAG_END;
    struct mox_slice piece = take_until(rest, ';', &last);
    const uint8_t *equals = piece.len == 0 ? NULL : memchr(piece.data, '=', piece.len);
    if (equals == NULL)
        return TAG_BROKEN;
    size_t at = (size_t)(equals - piece.data);
    out->name = mox__slice_trim(slice(piece.data, at));
    out->whole = slice_from(piece, at + 1);
    out->value = mox__slice_trim(out->whole);
    return is_name(out->name) ? TAG_FOUND : TAG_BROKEN;
}

bool mox__tag_note(struct tag_names *seen, struct mox_slice name)
{
    if (seen->count == TAG_NAMES_MAX)
        return false;
    for (size_t i = 0; i < seen->count; i++)
        if (mox__slice_eq(seen->names[i], name))
            return false;
    seen->names[seen->count++] = name;
    return true;
}

bool mox__colon_next(struct mox_slice *rest, struct mox_slice *piece)
{
    bool last;
    if (rest->data == NULL)
        return false;
    *piece = mox__slice_trim(take_until(rest, ':', &last));
    if (last)
        *rest = slice(NULL, 0);
    return true;
}
