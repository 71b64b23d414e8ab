/* SPDX-License-Identifier: MIT */
#ifndef MAILFILE_CRLF_H
#define MAILFILE_CRLF_H

#include <mox/spool.h>

/* Lines on their way into a spool: each ends in CRLF there, the last one too. A CR that ends no line stays. */
struct crlf {
    struct mox_spool *to;
    int status;   /* the first failure */
    uint8_t last; /* byte that came in; 0 at first */
    bool any;
    size_t len;
    uint8_t out[32 * 1024];
};

void mox__crlf_begin(struct crlf *c, struct mox_spool *to);
/* Any piece: it may begin and end within a line. */
void mox__crlf_write(struct crlf *c, struct mox_slice piece);
/* Ends the last line, if it does not; returns the status. */
MOX_MUST_USE int mox__crlf_end(struct crlf *c);

#endif
