/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_CHECKS_H
#define DELIVERY_CHECKS_H

#include <mox/checks.h>

#include "base/arena.h"

/* All checks of one message: checks.c asks and goes on, checks_from.c finds the address in From,
 * checks_proved.c says what the results prove, checks_headers.c writes them down. */

/* They wait for the DNS each for itself; DMARC, which needs the results of two of them, comes behind. */
enum check { CHECK_IPREV, CHECK_SPF, CHECK_DKIM, CHECK_ARC, CHECKS };

struct mox_checks {
    struct mox_env env;
    struct arena arena;
    struct mox_checks_query query; /* texts in the arena */
    struct mox_spf_query spf_query;
    struct mox_signed_message *message;
    struct mox_dkim_verify *dkim_verify;
    struct mox_arc_verify *arc_verify;
    bool asked_ahead, is_done[CHECKS];
    struct mox_dkim_result *dkim; /* as the verdict has them */
    struct mox_iprev_verdict iprev;
    struct mox_spf_verdict spf;
    struct mox_dmarc_verdict dmarc;
    struct mox_checks_verdict verdict;
};

/* Fills the verdict's From; "" for what is not there. MOX_OK or MOX_ENOMEM. */
MOX_MUST_USE int mox__checks_from(struct mox_checks *c, struct mox_slice content);

/* Fills the verdict's validations and domains, once all else is known. MOX_OK or MOX_ENOMEM. */
MOX_MUST_USE int mox__checks_prove(struct mox_checks *c);

#endif
