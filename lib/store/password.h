/* SPDX-License-Identifier: MIT */
#ifndef STORE_PASSWORD_H
#define STORE_PASSWORD_H

#include "sasl/credentials.h"
#include "store/store.h"

/* The record of one kind, NUL-terminated, for mechanisms that do not send the password.
 * MOX_ENOTFOUND: no password was set, or before this kind was known. */
MOX_PRIV MOX_MUST_USE int mox__account_credential(struct mox_account *account, enum credential kind,
                                                  char out[CREDENTIAL_MAX], struct mox_error *err);

/* What hashing costs from now on; records say themselves what they cost. For tests, which would
 * otherwise hash for minutes. */
MOX_PRIV void mox__store_password_cost(struct mox_store *store, unsigned passes, size_t memory);

#endif
