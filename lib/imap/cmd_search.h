/* SPDX-License-Identifier: MIT */
#ifndef IMAP_CMD_SEARCH_H
#define IMAP_CMD_SEARCH_H

#include <mox/mailstore.h>

#include "imap/command.h"
#include "imap/seqset.h"
#include "imap/textmatch.h"
#include "message/charset_pool.h"

/**
 * SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4), in five files:
 *
 *   cmd_search_parse.c  keys become a tree of nodes, the cheap ones first
 *   cmd_search_args.c   what stands behind a key
 *   cmd_search_eval.c   the tree and one message: yes, no, or not known without more of the message
 *   cmd_search_text.c   header fields and text of a message
 *   cmd_search.c        the messages, first by what the view tells, the rest by reading the store
 */

/* How deep NOT, OR and parentheses nest. Clients that look for many addresses write OR behind OR;
 * recursion takes some 120 KiB of stack at most. */
#define SEARCH_DEPTH_MAX 400

/* The most keys that read header fields, and that read bodies: each of them reads all of a message.
 * Clients that look for a thread name some hundred message-ids. */
#define SEARCH_FIELDS_MAX 1000
#define SEARCH_TEXTS_MAX  64

/* What must be known of a message to judge a key, from cheap to costly. */
enum search_level {
    SEARCH_VIEW,   /* its row in the view */
    SEARCH_ROW,    /* its dates */
    SEARCH_HEADER, /* its header fields */
    SEARCH_TEXT    /* … and bodies, decoded */
};
#define SEARCH_LEVELS 4

struct search_node;
struct search_context;

enum search_verdict { SEARCH_NO, SEARCH_YES, SEARCH_UNKNOWN };

/* Judges a leaf; the context has what its level needs. */
typedef bool search_test(const struct search_node *n, struct search_context *x);

enum search_kind { SEARCH_LEAF, SEARCH_AND, SEARCH_OR, SEARCH_NOT };

struct search_node {
    enum search_kind kind;
    enum search_level level;             /* of the most costly leaf in it */
    struct search_node *children, *next; /* of AND, OR and NOT; cheap ones first */
    search_test *test;                   /* of a leaf; its arguments: */
    union {
        struct {
            uint32_t mask, value; /* flags & mask == value */
        } flags;
        struct {
            struct mox_slice name;
            uint64_t bit;             /* 0 if the mailbox has no such keyword */
            struct search_node *next; /* the leaf with the keyword before this one */
        } keyword;
        struct row_set rows;
        uint64_t bytes;
        int64_t day; /* since 1970 */
        struct {
            struct mox_slice name;
            struct needle value;
        } field;
        size_t text; /* index in search_program.texts */
    } arg;
};

/* A BODY or TEXT key: all of them are looked for in one pass over a message. */
struct search_text {
    struct needle needle;
    bool headers; /* TEXT: in headers too */
};

struct search_program {
    struct search_node *root;
    enum search_level level; /* of the root */
    bool has_row;            /* some leaf is of SEARCH_ROW: worth a pass of its own */
    uint32_t nodes, fields;
    struct search_node *keywords; /* the leaf with the last keyword */
    struct search_text *texts;
    size_t text_count;
    struct needle_match *matches; /* of the pass over one message, by index of texts */
};

/* What the parser knows of the session. */
struct search_session {
    const struct mox_view *view;        /* for sequence numbers and UIDs */
    const struct mox_uid_range *recent; /* UIDs that are \Recent */
    size_t recent_count;
};

/* Reads [CHARSET charset] and keys up to the end of the command. MOX_ESYNTAX; MOX_EUNSUPPORTED:
 * another charset; MOX_ENOMEM. */
int mox__search_parse(struct search_program *out, struct lexer *l,
                      const struct search_session *session);
/* Looks the names of keywords up in the view whose rows are judged: before the first of them. */
void mox__search_find_keywords(struct search_program *p, const struct mox_view *view);

/* Where the pass over the text of a large message paused. A later one begins anew, and shows the
 * needles nothing before it comes to that place: decoding once more costs little. */
struct search_pause {
    int64_t end_us;     /* when to pause; 0: never */
    uint64_t bytes;     /* after how much text to pause at the latest */
    bool paused;        /* the message is not judged */
    uint64_t shown;     /* of the text of bodies, in this pass */
    uint64_t resume_at; /* 0: from the start */
    uint8_t rest[4];    /* the first bytes of a character that the last piece cut */
    size_t rest_len;
};

/* One message, as far as it is known. */
struct search_context {
    const struct mox_env *env;
    const struct search_program *program;
    struct charset_pool *charsets; /* stay open from message to message; may be NULL */
    enum search_level level;       /* what is there: */
    uint32_t index;
    const struct mox_view_row *row;
    const struct mox_message_data *data;
    bool texts_done; /* the pass over the text was made: matches say what is in it */
    struct search_pause pause;
    int failure; /* enum mox_status: out of memory while reading the text */
};

enum search_verdict mox__search_eval(const struct search_node *n, struct search_context *x);

/* Leaves that read the message (cmd_search_text.c). */
search_test mox__search_field, mox__search_sent_before, mox__search_sent_on, mox__search_sent_since,
    mox__search_text;
/* Leaves that do not (cmd_search_eval.c). */
search_test mox__search_all, mox__search_flags, mox__search_keyword, mox__search_rows,
    mox__search_larger, mox__search_smaller, mox__search_before, mox__search_on, mox__search_since;

#endif
