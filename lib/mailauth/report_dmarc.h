/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_REPORT_DMARC_H
#define MAILAUTH_REPORT_DMARC_H

#include <stddef.h>

/* The XML of RFC 7489 appendix C as a table: which element means what inside of which. */

/* Where one is in a document: inside of which element. */
enum place {
    DOCUMENT,
    FEEDBACK,
    METADATA,
    DATE_RANGE,
    POLICY,
    RECORD,
    ROW,
    EVALUATED,
    REASON,
    IDENTIFIERS,
    RESULTS,
    DKIM,
    SPF,
    LEAF,   /* has a text */
    UNKNOWN /* has nothing for us, whatever is in it */
};

/* What the text of a leaf is. */
enum kind { NONE, TEXT, WORD, TIME, COUNT, PERCENT, PROBLEM };

struct rule {
    enum place in;
    const char *name;
    enum place to;
    enum kind kind; /* of a leaf */
    size_t member;  /* where it goes, in the struct that `in` fills */
};

/* What the element means in that place, whatever prefix its name has; NULL: nothing. */
const struct rule *mox__dmarc_report_rule(enum place in, const char *name);

#endif
