/* SPDX-License-Identifier: MIT */
#ifndef STORE_PASSWORD_H
#define STORE_PASSWORD_H

#include "sasl/credentials.h"
#include "store/store.h"

/* What hashing costs from now on; records say themselves what they cost. For tests, which would
 * otherwise hash for minutes. */
MOX_PRIV void mox__store_password_cost(struct mox_store *store, unsigned passes, size_t memory);

#endif
