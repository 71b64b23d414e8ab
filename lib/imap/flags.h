/* SPDX-License-Identifier: MIT */
#ifndef IMAP_FLAGS_H
#define IMAP_FLAGS_H

#include <mox/mailstore.h>

#include "base/arena.h"
#include "base/buf.h"

/* Names of flags and keywords (RFC 9051 §2.3.2), read and written. */

/* The most names in one command. A mailbox has at most MOX_KEYWORDS_MAX keywords besides the ten
 * flags with a bit, so more can only be repetitions. */
#define FLAG_NAMES_MAX 128

/* The flags that a command names. */
struct flag_list {
    uint32_t flags;        /* a set of enum mox_flag */
    const char **keywords; /* lower case, each once, in the arena */
    size_t keyword_count;
};

/* Reads flags separated by single spaces; no text is no flag. MOX_ESYNTAX: not a flag, or one with
 * a backslash that cannot be set, *err says which; MOX_ELIMIT, MOX_ENOMEM. */
int mox__flags_parse(struct flag_list *out, struct arena *a, struct mox_slice text,
                     struct mox_error *err);

/* The bit of a flag's or well-known keyword's name in any case, or 0. */
uint32_t mox__flag_named(struct mox_slice name);

/* Writes a list with its parentheses, in the order of the bits; then the keywords whose bits are
 * set, by their names in the mailbox. `recent` adds \Recent. */
void mox__flags_write(struct buf *out, uint32_t flags, uint64_t keywords, const char *const *names,
                      unsigned name_count, bool recent);

#endif
