/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_JUDGED_H
#define DELIVERY_JUDGED_H

#include <mox/analysis.h>

/* Facts made by hand, given to an analysis as it asks for them. */
struct judged {
    struct mox_analysis_facts facts; /* all of them */
    struct mox_analysis analysis;    /* the end */
    char asked[100];                 /* "reputation junk dnsbl" */
    unsigned rounds;                 /* calls of mox_analyze() */

    struct mox_checks_verdict checks;
    struct mox_iprev_verdict iprev;
    struct mox_spf_verdict spf;
    struct mox_arc_verdict arc;
    struct mox_dmarc_verdict dmarc;
    const char *dkim_domains[2];
};

/* A stranger: nothing is known, nothing is bad, and the account has a filter that has learnt enough. */
void judged_stranger(struct judged *j);
/* Asks and answers until the verdict. */
void judged_run(struct judged *j);

#endif
