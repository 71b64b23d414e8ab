/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_TAGS_H
#define MAILAUTH_TAGS_H

#include "base/priv.h"

/* Lists of `tag=value;` (RFC 6376 §3.2), of which the records and headers of DKIM, ARC, DMARC, MTA-STS
 * and TLS reports consist. */

struct tag {
    struct mox_slice name;  /* as written */
    struct mox_slice value; /* without white space and folds around it; inner ones stay */
    struct mox_slice whole; /* the value with them */
};

enum tag_result {
    TAG_FOUND,
    TAG_END,   /* nothing but white space is left */
    TAG_BROKEN /* no name, no `=`, or an empty piece between two `;` */
};

/* The next tag; *rest moves behind it and its `;`. A `;` behind the last is fine. */
enum tag_result mox__tag_next(struct mox_slice *rest, struct tag *out);

/* More than any list has, with room for tags that are invented yet. */
#define TAG_NAMES_MAX 64

/* The names of a list so far: RFC 6376 §3.2 has no tag twice, known or not. */
struct tag_names {
    struct mox_slice names[TAG_NAMES_MAX];
    size_t count;
};

/* Notes one; false when it is there already, or there is no room. */
bool mox__tag_note(struct tag_names *seen, struct mox_slice name);

/* The next piece of a list with `:` between (RFC 6376 §3.2), trimmed; false at the end. *rest.data is
 * NULL then. An empty list has one empty piece. */
bool mox__colon_next(struct mox_slice *rest, struct mox_slice *piece);

#endif
