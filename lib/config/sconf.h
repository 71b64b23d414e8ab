/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_SCONF_H
#define CONFIG_SCONF_H

#include <mox/error.h>

#include "base/arena.h"
#include "base/buf.h"

/* The sconf syntax: one map, a line per entry, one tab per level, nothing quoted.
 *
 *     # comment
 *     Key: value
 *     Struct or map:
 *     	Key: value
 *     List:
 *     	- value
 *     	-
 *     		Key: value
 *
 * A tree keeps the text of every line, so that what nobody changed is written back byte by byte.
 * Types come later, in config/bind.h. */

/* Bounds of a file: a hundred thousand accounts need about 30 MiB. */
#define SCONF_MAX_BYTES (64u << 20)
#define SCONF_MAX_DEPTH 32

struct sconf_node {
    struct sconf_node *parent, *first, *last, *prev, *next;
    struct mox_slice key;   /* empty for list items and the root */
    struct mox_slice value; /* empty when there are children */
    struct mox_slice lead;  /* the comment and blank lines above, as read */
    struct mox_slice raw;   /* the entry's line with its end, as read; empty once it was changed */
    unsigned line;          /* of the entry; 0 for one that was not read */
    unsigned after;         /* line of the next entry of the file, or else its last line */
    bool is_list;           /* the children are list items */
};

struct sconf {
    struct arena arena; /* owns the text and the nodes */
    char *path;         /* for messages */
    struct sconf_node root;
    struct mox_slice tail; /* comment and blank lines behind the last entry */
    unsigned lines;        /* physical lines, at least 1 */
    bool crlf;             /* lines end in CRLF */
};

/* Copies and reads `text`. MOX_ESYNTAX with `<path>:<line>: what is wrong and what to do` for the
 * first mistake, MOX_ELIMIT, MOX_ENOMEM. The tree is to be freed in any case. */
MOX_MUST_USE int mox__sconf_read(struct sconf *tree, const struct mox_env *env, const char *path,
                                 struct mox_slice text, struct mox_error *err);
void mox__sconf_free(struct sconf *tree);

/* The child with that key, or NULL. Linear: for messages and edits. */
struct sconf_node *mox__sconf_find(const struct sconf_node *parent, const char *key);
/* The last line that belongs to the node. */
unsigned mox__sconf_last_line(const struct sconf *tree, const struct sconf_node *node);
/* Whether both say the same, comments and layout aside. NULL equals NULL only. */
bool mox__sconf_same(const struct sconf_node *a, const struct sconf_node *b);

/* Changes. Text is copied. MOX_ENOMEM; the tree then is as before. */
MOX_MUST_USE int mox__sconf_set(struct sconf *tree, struct sconf_node *node,
                                struct mox_slice value);
/* Copies `from` (of any tree) with all below it, without layout, into parent before its child
 * `before`, or to its end for NULL. */
MOX_MUST_USE int mox__sconf_insert(struct sconf *tree, struct sconf_node *parent,
                                   struct sconf_node *before, const struct sconf_node *from);
/* Takes the node out, with the comment that stands directly above it.
 * MOX_ENOMEM. */
MOX_MUST_USE int mox__sconf_remove(struct sconf *tree, struct sconf_node *node);
/* Makes `tree` say what `after` says, as far as `after` differs from `before`: lines that differ in
 * nothing stay as they are, with their comments. All three are trees of one file's format. */
MOX_MUST_USE int mox__sconf_merge(struct sconf *tree, const struct sconf *before,
                                  const struct sconf *after);
/* The tree as text; out->failed tells when it did not fit. */
void mox__sconf_write(const struct sconf *tree, struct buf *out);

/* Ascending byte order, for keys. */
int mox__sconf_order(struct mox_slice a, struct mox_slice b);

/* Text of a file in a message: quoted, control characters replaced, cut when long. */
#define SCONF_QUOTED_MAX 80
const char *mox__sconf_quote(struct mox_slice text, char out[SCONF_QUOTED_MAX]);

#endif
