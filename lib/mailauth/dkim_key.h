/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_DKIM_KEY_H
#define MAILAUTH_DKIM_KEY_H

#include <mox/dkim.h>

#include "base/pubkey.h"

/* What a key signs with; the key's own. */
struct private_key *mox__dkim_private(struct mox_dkim_key *key);

/* What a= says of it: "rsa-sha256", "ed25519-sha256" (RFC 8301 §3.1: SHA-1 is not signed with). */
const char *mox__dkim_key_algorithm(const struct mox_dkim_key *key);

#endif
