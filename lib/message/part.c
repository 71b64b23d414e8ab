/* SPDX-License-Identifier: MIT */
#include "message/part.h"

#include "base/text.h"
#include "message/content.h"

/* Both bounds were checked against the content when the part was made; a part of a foreign tree
 * gives what is there. */
static struct mox_slice between(struct mox_slice content, uint64_t from, uint64_t to)
{
    if (to > content.len)
        to = content.len;
    return from >= to ? slice(content.data, 0) : slice(content.data + from, (size_t)(to - from));
}

bool mox_part_is_text(const struct mox_part *part)
{
    return mox__slice_is_nocase(part->type, "text");
}

struct mox_slice mox_part_header(const struct mox_part *part, struct mox_slice content)
{
    return between(content, part->header, part->body);
}

struct mox_slice mox_part_body(const struct mox_part *part, struct mox_slice content)
{
    return between(content, part->body, part->end);
}

bool mox__part_is_message(const struct mox_part *part)
{
    return mox__slice_is_nocase(part->type, "message") &&
           (mox__slice_is_nocase(part->subtype, "rfc822") ||
            mox__slice_is_nocase(part->subtype, "global"));
}

/* MOX_MESSAGE_DEPTH_MAX bounds the recursion. */
bool mox__part_has_utf8_header(const struct mox_part *part, struct mox_slice content)
{
    if (!mox__slice_is_ascii(mox_part_header(part, content)))
        return true;
    for (const struct mox_part *child = part->children; child != NULL; child = child->next)
        if (mox__part_has_utf8_header(child, content))
            return true;
    return false;
}

struct mox_slice mox__part_encoding(const struct mox_part *part)
{
    struct params p = {.text = part->fields[MOX_FIELD_ENCODING]};
    struct mox_slice token = mox__content_token(&p);
    if (p.at < p.text.len && p.text.data[p.at] != ';')
        token.len = 0;
    return token;
}
