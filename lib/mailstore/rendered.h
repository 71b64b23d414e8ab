/* SPDX-License-Identifier: MIT */
#ifndef MAILSTORE_RENDERED_H
#define MAILSTORE_RENDERED_H

#include "base/buf.h"

/* What is computed once of a message when it is stored (struct mox_message_data says what each is).
 * The slices lie in `text`, one behind the other, in this order. */
struct rendered {
    struct mox_slice envelope, body, bodystructure, structure;
    bool utf8_headers;
    struct buf text;
};

/* What it may become: an envelope of 20,000 addresses and the structure of 10,000 parts fit. */
#define RENDERED_MAX (64u << 20)

/* Of the content as received. The prefix lengthens only the outermost header: the envelope has what is
 * in it, offsets are those of the content. `env` must outlive it. MOX_ENOMEM; there is nothing to free
 * then. */
int mox__rendered_init(struct rendered *r, const struct mox_env *env, struct mox_slice prefix,
                       struct mox_slice content);
void mox__rendered_free(struct rendered *r);

#endif
