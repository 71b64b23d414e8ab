/* SPDX-License-Identifier: MIT */
#ifndef IMAP_ASSEMBLE_H
#define IMAP_ASSEMBLE_H

#include "imap/talk.h"

/* A message put together again from what a client can fetch of it: the header, for each part its MIME
 * header and its body as far as BODYSTRUCTURE goes down, and between them delimiters of the boundary
 * that BODYSTRUCTURE tells. */

struct assembly {
    size_t sections; /* fetched */
    size_t parts;    /* leaves, and whatever else has a number */
    size_t cut;      /* parts whose header has other fields too: BODY[n.MIME] leaves those out */
    size_t ranges;   /* <first.length> fetched */
};

/* Fetches message `number` of the selected mailbox whole, in halves, in ranges and in parts, and fails
 * the test where they do not make up the same bytes. Returns these, to be freed with free(). Adds to
 * *counts. */
struct mox_slice assemble(struct talk *t, unsigned number, struct assembly *counts);

#endif
