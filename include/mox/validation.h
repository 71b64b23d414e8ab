/* SPDX-License-Identifier: MIT */
#ifndef MOX_VALIDATION_H
#define MOX_VALIDATION_H

#include <mox/types.h>

MOX_BEGIN_DECLS

/** How far a sender's name is proved: the numbers are stored with messages, for reputation. */
enum mox_validation {
    MOX_VALIDATION_UNKNOWN = 0,
    MOX_VALIDATION_STRICT = 1,  /* exactly this domain signed it, or passed SPF */
    MOX_VALIDATION_DMARC = 2,   /* relaxed, and DMARC passed */
    MOX_VALIDATION_RELAXED = 3, /* a domain of the same organization did */
    MOX_VALIDATION_PASS = 4,    /* from here on: the result of SPF */
    MOX_VALIDATION_NEUTRAL = 5,
    MOX_VALIDATION_TEMPERROR = 6,
    MOX_VALIDATION_PERMERROR = 7,
    MOX_VALIDATION_FAIL = 8,
    MOX_VALIDATION_SOFTFAIL = 9,
    MOX_VALIDATION_NONE = 10
};

MOX_END_DECLS

#endif
