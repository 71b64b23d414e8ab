/* SPDX-License-Identifier: MIT */
#ifndef IMAP_MATCH_H
#define IMAP_MATCH_H

#include "base/arena.h"

/* Patterns of LIST and LSUB (RFC 3501 §6.3.8): "*" stands for anything, "%" for anything in a
 * level. */

/* Longer than any name; a pattern beyond it is refused. */
#define PATTERN_MAX_BYTES 2048

/* The pattern that the reference and the name pattern make together, in the arena: a level "inbox"
 * at its front becomes "Inbox". *out is NULL when it can match nothing. MOX_ENOMEM, MOX_ELIMIT. */
MOX_MUST_USE int mox__pattern_join(struct arena *a, const char *reference, const char *pattern,
                                   const char **out);

/* Which beginnings of the name match: matched[n] is set for its first n bytes, so matched[len] for
 * the whole name. There is room for len + 1. Returns the work, in bytes looked at: at most those of
 * the pattern times len + 1. */
size_t mox__pattern_match(const char *pattern, const char *name, size_t len, bool *matched);

#endif
