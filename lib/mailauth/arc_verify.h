/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_ARC_VERIFY_H
#define MAILAUTH_ARC_VERIFY_H

#include "mailauth/arc_set.h"
#include "mailauth/dkim_check.h"

/* The check of a chain: its sets, and the two signatures of each. */
struct mox_arc_verify {
    struct mox_env env;
    struct arena arena;
    struct mox_signed_message *message;
    struct mox_dkim_config config;
    struct arc_sets sets;
    /* Of instance i at i - 1; only when the sets are whole. */
    struct signature_check messages[MOX_ARC_INSTANCES_MAX], seals[MOX_ARC_INSTANCES_MAX];
    uint8_t seal_digests[MOX_ARC_INSTANCES_MAX][HASH_MAX];
    struct mox_arc_instance instances[MOX_ARC_INSTANCES_MAX];
    struct mox_arc_verdict verdict;
    bool is_judged;
};

/* The fields of a set as a seal covers them, one behind the other (RFC 8617 §5.1.1). */
void mox__arc_canon_set(struct buf *out, const struct arc_set *set, unsigned kinds);

#endif
