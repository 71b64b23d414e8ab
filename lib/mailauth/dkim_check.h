/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_DKIM_CHECK_H
#define MAILAUTH_DKIM_CHECK_H

#include <mox/dkim.h>

#include "mailauth/dkim_key_record.h"
#include "mailauth/dkim_signature.h"

/* One signature on its way to a verdict, of DKIM or ARC:
 *
 *   parse ─▶ CHECK_KEY ─ key found, header signature holds ─▶ CHECK_BODY ─▶ CHECK_DONE
 *     └─ wrong ──────┴─ anything else ─────────────────────────────────────▶ CHECK_DONE
 *
 * All keys are asked for at once, and all bodies hashed at once: the caller takes every check as far as
 * it goes before it goes on with the next step. */
enum check_state { CHECK_KEY, CHECK_BODY, CHECK_DONE };

struct signature_check {
    enum check_state state;
    struct dkim_signature signature;
    size_t body_hash; /* its place among those of the message */
    struct mox_dkim_result result;
};

/* Ends it. `reason` lives as long as the check. */
void mox__check_end(struct signature_check *c, enum mox_dkim_status status, const char *reason);

/* Rules on a signature that need no key (RFC 6376 §6.1.1); ends it when one is broken. */
void mox__check_rules(struct signature_check *c, const struct mox_dkim_config *config);

/**
 * CHECK_KEY: looks for the key and, with that, at the header signature over `digest`, or NULL for that of
 * RFC 6376 §3.7. @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM
 */
MOX_MUST_USE int mox__check_key(struct signature_check *c, struct mox_signed_message *m,
                                struct mox_dns_answers *answers, const uint8_t *digest);

/* CHECK_BODY, once mox__body_hash_run() was called. */
void mox__check_body(struct signature_check *c, const struct mox_signed_message *m);

#endif
