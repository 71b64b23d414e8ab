/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_ARC_SET_H
#define MAILAUTH_ARC_SET_H

#include <mox/arc.h>

#include "mailauth/signed_message.h"

/* The sets of ARC fields of a message (RFC 8617 §4): what belongs together, and whether it can be a chain.
 * Signatures are not looked at. */

enum arc_kind { ARC_RESULTS, ARC_MESSAGE_SIGNATURE, ARC_SEAL };
#define ARC_KINDS 3

/* "ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal" */
const char *mox__arc_name(enum arc_kind kind);

struct arc_set {
    const struct signed_field *fields[ARC_KINDS]; /* NULL: missing */
    struct mox_slice results;                     /* of the first, behind `i=…;` */
};

#define ARC_PROBLEM_MAX 128

struct arc_sets {
    struct arc_set sets[MOX_ARC_INSTANCES_MAX]; /* instance i is sets[i - 1] */
    unsigned count;                             /* the highest instance; 0 if none can be read */
    bool found;                                 /* there are fields of ARC */
    char problem[ARC_PROBLEM_MAX];              /* why they are no chain; "" */
};

/* Sorts the message's fields into sets; `problem` says what is missing, or there twice. */
void mox__arc_sets_read(struct arc_sets *a, const struct mox_signed_message *m);

/* The problem of a set, unless there is one already. */
void mox__arc_problem(struct arc_sets *a, unsigned instance, enum arc_kind kind, const char *what);

#endif
