/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_ARC_VERIFY_H
#define MAILAUTH_ARC_VERIFY_H

#include "mailauth/arc_set.h"
#include "mailauth/dkim_check.h"

struct seal_digest {
    uint8_t bytes[HASH_MAX];
};

/* The check of a chain: its sets, and the two signatures of each. */
struct mox_arc_verify {
    struct mox_env env;
    struct arena arena;
    struct mox_signed_message *message;
    struct mox_dkim_config config;
    struct arc_sets sets;
    /* Of instance i at i - 1, in the arena; NULL unless there are sets, and they are whole: few messages have
     * any. */
    struct signature_check *messages, *seals;
    struct seal_digest *seal_digests;
    struct mox_arc_instance *instances;
    struct mox_arc_verdict verdict;
    bool is_judged;
};

/* The fields of a set as a seal covers them, one behind the other (RFC 8617 §5.1.1). */
void mox__arc_canon_set(struct buf *out, const struct arc_set *set, unsigned kinds);

#endif
