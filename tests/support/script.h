/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SCRIPT_H
#define SUPPORT_SCRIPT_H

#include <mox/types.h>

/* What the client of a dialogue says (support/transcript.h), without what it is answered: for tests that
 * hold it under other conditions. */

#define SCRIPT_LINES_MAX 400

struct script {
    char *lines[SCRIPT_LINES_MAX]; /* with their CRLF */
    size_t lens[SCRIPT_LINES_MAX], count;
};

/* `data` is the text of the dialogue; only its first session counts. */
void script_read(struct script *s, struct mox_slice data);
void script_free(struct script *s);

#endif
