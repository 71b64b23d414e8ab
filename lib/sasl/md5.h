/* SPDX-License-Identifier: MIT */
#ifndef SASL_MD5_H
#define SASL_MD5_H

#include "base/priv.h"

/* MD5 with its state in the open (RFC 1321). CRAM-MD5 needs it: what is stored are the states of
 * HMAC behind its two key pads (RFC 2104 §4), which verify a login but are not the password, and no
 * crypto library lends them in a form that another version would take back. For nothing else. */
struct md5_state {
    uint32_t word[4];
};

void mox__md5_start(struct md5_state *s);
void mox__md5_block(struct md5_state *s, const uint8_t block[64]);
/* The digest of `before` bytes that are in the state already (a multiple of 64), and these. */
void mox__md5_finish(const struct md5_state *s, uint64_t before, struct mox_slice data,
                     uint8_t digest[16]);

#endif
