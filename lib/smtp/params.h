/* SPDX-License-Identifier: MIT */
#ifndef SMTP_PARAMS_H
#define SMTP_PARAMS_H

#include "base/buf.h"

/* Parameters of MAIL and RCPT (RFC 5321 §4.1.2): SP esmtp-keyword ["=" esmtp-value]. */
struct smtp_param {
    struct mox_slice keyword, value;
    bool has_value;
};

/* Takes the next parameter, with the space in front, from *in. 1: there was one; 0: nothing but
 * blanks is left, and stays there; MOX_ESYNTAX. */
MOX_PRIV int mox__smtp_param_next(struct mox_slice *in, struct smtp_param *out);

/* xtext (RFC 3461 §4), decoded into *out when it is not NULL. */
MOX_PRIV bool mox__smtp_xtext_decode(struct mox_slice in, struct buf *out);

/* HOLDUNTIL's time (RFC 4865 §3): RFC 3339 in UTC with `Z`, seconds may have a fraction. */
MOX_PRIV bool mox__smtp_time_parse(struct mox_slice in, int64_t *us);
/* The same form, without a fraction. Appends. */
MOX_PRIV void mox__smtp_time_write(struct buf *out, int64_t us);

#endif
