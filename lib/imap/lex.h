/* SPDX-License-Identifier: MIT */
#ifndef IMAP_LEX_H
#define IMAP_LEX_H

#include "base/arena.h"
#include "base/text.h"

/* Takes a complete command apart, literals included (RFC 3501 §9). Every function that takes
 * something returns whether it was there; when it was not, the lexer stays where it was and
 * `expected` says what was missing, for the BAD. What is taken borrows from the command's text or
 * its arena: it lives as long as the command. */
struct lexer {
    const uint8_t *at, *end;
    struct arena *arena; /* for quoted strings with escapes and for decoded names */
    const char *expected;
    bool no_memory; /* the arena was full: not the client's mistake */
};

void mox__lex_init(struct lexer *l, struct mox_slice text, struct arena *arena);
/* The result of a parse function that found something missing: MOX_ENOMEM or MOX_ESYNTAX. */
int mox__lex_failure(const struct lexer *l);

bool mox__lex_end(struct lexer *l); /* nothing is left */
bool mox__lex_byte(struct lexer *l, uint8_t byte);
bool mox__lex_space(struct lexer *l);
/* The next byte without taking it, -1 at the end. */
int mox__lex_peek(const struct lexer *l);
/* A text of ASCII, without case, that is not followed by another letter or digit. */
bool mox__lex_word(struct lexer *l, const char *word);

bool mox__lex_tag(struct lexer *l, struct mox_slice *out);
bool mox__lex_atom(struct lexer *l, struct mox_slice *out);
bool mox__lex_string(struct lexer *l, struct mox_slice *out); /* quoted or literal */
bool mox__lex_astring(struct lexer *l, struct mox_slice *out);
bool mox__lex_nstring(struct lexer *l, struct mox_slice *out, bool *nil);
bool mox__lex_list_pattern(struct lexer *l, const char **pattern); /* list-mailbox, decoded */
/* Consecutive digits, at most max. */
bool mox__lex_number(struct lexer *l, uint64_t max, uint64_t *out);

/* An astring that is a mailbox name: decoded, NUL-terminated, not checked further. */
bool mox__lex_mailbox(struct lexer *l, const char **name);

/* What stands between ( and the next ), which is taken too: a flag list for mox__flags_parse(). */
bool mox__lex_parens(struct lexer *l, struct mox_slice *inner);
/* The rest of the text, not empty. */
bool mox__lex_rest(struct lexer *l, struct mox_slice *out);

/* "d-Mon-yyyy", with or without quotes: days since 1970. */
bool mox__lex_date(struct lexer *l, int64_t *days);
/* "dd-Mon-yyyy hh:mm:ss +zzzz" in quotes: microseconds since 1970, UTC. */
bool mox__lex_date_time(struct lexer *l, int64_t *us);

#endif
