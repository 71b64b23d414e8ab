/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_AUTH_RESULTS_H
#define MAILAUTH_AUTH_RESULTS_H

#include <mox/auth_results.h>

#include "base/buf.h"

/* The field appended to `out`; running out of memory shows in its `failed`. */
MOX_PRIV void mox__auth_results_put(struct buf *out, const struct mox_auth_results *results);

/* Whether a value can stand without quotes as `[[local-part] "@"] domain-name` (RFC 8601 §2.2): one `@`,
 * dots only between words, and no byte that means something in a header. */
bool mox__auth_is_address(struct mox_slice value);

/* A value, in quotes when it must be; of an address `@` needs none. */
void mox__auth_value_put(struct buf *out, const char *text, bool is_address);

#endif
