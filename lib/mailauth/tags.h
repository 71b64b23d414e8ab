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

/* The next piece of a list with `:` between (RFC 6376 §3.2), trimmed; false at the end. *rest.data is
 * NULL then. An empty list has one empty piece. */
bool mox__colon_next(struct mox_slice *rest, struct mox_slice *piece);

#endif
