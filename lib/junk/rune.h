/* SPDX-License-Identifier: MIT */
#ifndef JUNK_RUNE_H
#define JUNK_RUNE_H

#include <stdbool.h>
#include <stdint.h>

/* Characters beyond ASCII, as far as words need it. A library's tables would follow its version; what
 * was learned must be found again, so these never change. */

/* Letters, digits, and marks within words: all that is not known to be something else. */
bool mox__rune_is_word(uint32_t rune);
/* What is not seen within a word: the soft hyphen, joiners. It is put there to tear words apart. */
bool mox__rune_is_invisible(uint32_t rune);
/* The small letter in the scripts of Europe; others as they are. */
uint32_t mox__rune_lower(uint32_t rune);

#endif
