/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_ANALYSIS_H
#define DELIVERY_ANALYSIS_H

#include <mox/analysis.h>

#include "base/priv.h"

/* Rules look at facts in a fixed order, and the first that knows decides:
 *
 *     analysis.c          the order, and what the outcomes are
 *     analysis_sender.c   rules about who sent the message
 *     analysis_content.c  rules about what is in it, for those of whom little is known
 *     analysis_header.c   X-Mox-Reason */

enum looked {
    LOOKED_ON,      /* it says nothing: the next one */
    LOOKED_DECIDED, /* that was the last */
    LOOKED_NEEDS    /* it must be told more, see `wants` */
};

/* One analysis on its way through the rules. */
struct judging {
    const struct mox_analysis_facts *facts;
    struct mox_analysis *out;
    /* What is known about the sender, if anything, is about networks and domains that vouch for it, not
     * about the one in From: then more signs count. */
    bool stranger;
    bool suspicious; /* a stranger whose address has no name that leads back to it */
    bool unwanted;   /* it will be refused, for `against`, unless a token may help */
    enum mox_analysis_reason against;
    bool token_helps; /* unwanted for something that a person may be asked to get over */
};

/* What a rule saw, in words: made printable ASCII, and cut. Returns LOOKED_ON. */
enum looked mox__analysis_note(struct judging *j, const char *name, const char *format, ...)
    MOX_PRINTF(3, 4);
/* The same in words that are there, up to a NUL or `size` bytes. */
enum looked mox__analysis_note_text(struct judging *j, const char *name, const char *text,
                                    size_t size);
/* The end, decided by the rule noted last. */
enum looked mox__analysis_accept(struct judging *j, enum mox_analysis_reason reason);
enum looked mox__analysis_refuse(struct judging *j, enum mox_analysis_reason reason);
enum looked mox__analysis_need(struct judging *j, unsigned wants);

const char *mox__analysis_word(enum mox_analysis_reason reason);

/* The rules, in their order. */
enum looked mox__look_at_rate(struct judging *j);
enum looked mox__look_at_list(struct judging *j);
enum looked mox__look_at_dmarc(struct judging *j);
enum looked mox__look_at_proof(struct judging *j);
enum looked mox__look_at_reputation(struct judging *j);
enum looked mox__look_at_report(struct judging *j);
enum looked mox__look_at_spf(struct judging *j);
enum looked mox__look_at_iprev(struct judging *j);
enum looked mox__look_at_token(struct judging *j);
enum looked mox__look_at_content(struct judging *j);
enum looked mox__look_at_block_lists(struct judging *j);
enum looked mox__look_at_the_rest(struct judging *j);

#endif
