/* SPDX-License-Identifier: MIT */
#ifndef IMAP_CMD_SEARCH_PARSE_H
#define IMAP_CMD_SEARCH_PARSE_H

#include "imap/cmd_search.h"

/* What the two halves of the parser share: keys and their nesting (cmd_search_parse.c), and what
 * stands behind a key (cmd_search_args.c). */

/* What stands behind a key. */
enum search_args {
    ARGS_NONE,
    ARGS_KEYWORD, /* flag-keyword */
    ARGS_DATE,
    ARGS_NUMBER,
    ARGS_STRING, /* of the field named in the row, or of the text */
    ARGS_FIELD,  /* a field's name and a string */
    ARGS_UIDS,
    ARGS_KEY, /* NOT */
    ARGS_KEYS /* OR: two */
};

/* A key: a row of the table in cmd_search_parse.c. */
struct search_key {
    const char *name;
    enum search_args args;
    enum search_level level;
    search_test *test;
    uint32_t mask, value; /* for mox__search_flags */
    bool negated;
    const char *field; /* the header field that is looked at */
};

struct search_parser {
    struct search_program *program;
    struct lexer *l;
    const struct search_session *session;
    unsigned depth;
    struct row_set recent;
    bool recent_known;
};

/* Says what was expected; NULL, which is false too. */
void *mox__search_miss(struct search_parser *p, const char *expected);
/* The arguments of a leaf. What is missing is said; memory that is missing too. */
bool mox__search_take_args(struct search_parser *p, const struct search_key *key,
                           struct search_node *n);
/* A set of messages. */
bool mox__search_take_set(struct search_parser *p, struct search_node *n, enum seqset_kind kind);

#endif
