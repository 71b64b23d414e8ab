/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_PART_TREE_H
#define SUPPORT_PART_TREE_H

#include <mox/message.h>

/* A tree as text, in a static buffer: `multipart/mixed 3{text/plain 1 "body"|…}`; the number is the
 * count of lines, the body of a leaf stands with CRLF as \n. */
const char *tree_text(const struct mox_part *root, struct mox_slice content);

/* Fails the test unless both trees are the same, but for the fields and for texts over 127 bytes,
 * which a stored tree cuts. */
void tree_same(const struct mox_part *a, const struct mox_part *b);

/* Fails the test unless the offsets nest, siblings are in order, and the tree is linked rightly. */
void tree_check(const struct mox_part *root, struct mox_slice content);

#endif
