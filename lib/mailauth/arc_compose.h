/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_ARC_COMPOSE_H
#define MAILAUTH_ARC_COMPOSE_H

#include "base/buf.h"
#include "mailauth/arc_set.h"

#define ARC_SET_MAX    (1024 * 1024) /* of one field */
#define ARC_NUMBER_MAX 24

/* The set that is being made. */
struct arc_seal {
    const struct mox_env *env;
    const struct mox_arc_sealer *sealer;
    const char *algorithm;
    unsigned instance;
    const char *chain; /* cv= */
    struct buf names;  /* h= */
    char body_hash[48], time[ARC_NUMBER_MAX], number[ARC_NUMBER_MAX];
    struct buf fields[ARC_KINDS]; /* with CRLF */
};

/* h= of a caller's list, or of the usual fields, each as often as it is there; From in any case. MOX_EINVAL. */
MOX_MUST_USE int mox__arc_take_names(struct arc_seal *s, const char *const *names,
                                     struct mox_error *err);
void mox__arc_take_default_names(struct arc_seal *s, const struct mox_signed_message *m);

/* The fields, anew each time: with b= in base64, or empty, as they are signed. Running out of memory shows in
 * their `failed`. */
void mox__arc_compose_results(struct arc_seal *s);
void mox__arc_compose_message_signature(struct arc_seal *s, struct mox_slice signature);
void mox__arc_compose_seal(struct arc_seal *s, struct mox_slice signature);

/* One of them as signatures see it. */
struct signed_field mox__arc_as_field(const struct arc_seal *s, enum arc_kind kind);

#endif
