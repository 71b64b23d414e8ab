/* SPDX-License-Identifier: MIT */
#include "imap/lex.h"

#include <string.h>

#include <mox/error.h>

#include "mailstore/utf7.h"

/* The longest digits of a literal's size that are looked at; more is no number of ours. */
#define LITERAL_SIZE_MAX UINT64_C(9223372036854775807)

void mox__lex_init(struct lexer *l, struct mox_slice text, struct arena *arena)
{
    *l = (struct lexer){.at = text.data,
                        .end = text.len == 0 ? text.data : text.data + text.len,
                        .arena = arena,
                        .expected = ""};
}

int mox__lex_failure(const struct lexer *l)
{
    return l->no_memory ? MOX_ENOMEM : MOX_ESYNTAX;
}

static bool missing(struct lexer *l, const char *what)
{
    l->expected = what;
    return false;
}

static bool out_of_memory(struct lexer *l)
{
    l->no_memory = true;
    return missing(l, "less");
}

int mox__lex_peek(const struct lexer *l)
{
    return l->at == l->end ? -1 : *l->at;
}

bool mox__lex_end(struct lexer *l)
{
    return l->at == l->end || missing(l, "end of line");
}

bool mox__lex_byte(struct lexer *l, uint8_t byte)
{
    if (l->at == l->end || *l->at != byte)
        return missing(l, byte == '(' ? "(" : byte == ')' ? ")" : "other character");
    l->at++;
    return true;
}

bool mox__lex_space(struct lexer *l)
{
    if (l->at == l->end || *l->at != ' ')
        return missing(l, "space");
    l->at++;
    return true;
}

bool mox__lex_word(struct lexer *l, const char *word)
{
    struct mox_slice rest = slice(l->at, (size_t)(l->end - l->at));
    size_t len = strlen(word);
    if (!mox__slice_starts_nocase(rest, word))
        return missing(l, word);
    if (rest.len > len && (is_alpha(rest.data[len]) || is_digit(rest.data[len])))
        return missing(l, word);
    l->at += len;
    return true;
}

/* Character classes of RFC 3501 §9. */

static bool is_atom_char(uint8_t c)
{
    return c > ' ' && c < 0x7f && strchr("(){%*\"\\]", c) == NULL;
}

static bool is_astring_char(uint8_t c)
{
    return c == ']' || is_atom_char(c);
}

static bool is_tag_char(uint8_t c)
{
    return c != '+' && is_astring_char(c);
}

static bool is_list_char(uint8_t c)
{
    return c == '%' || c == '*' || is_astring_char(c);
}

static bool take_run(struct lexer *l, bool (*is)(uint8_t), const char *what, struct mox_slice *out)
{
    const uint8_t *p = l->at;
    while (p < l->end && is(*p))
        p++;
    if (p == l->at)
        return missing(l, what);
    *out = slice(l->at, (size_t)(p - l->at));
    l->at = p;
    return true;
}

bool mox__lex_tag(struct lexer *l, struct mox_slice *out)
{
    return take_run(l, is_tag_char, "tag", out);
}

bool mox__lex_atom(struct lexer *l, struct mox_slice *out)
{
    return take_run(l, is_atom_char, "atom", out);
}

/* Quoted text without its quotes, where `escapes` of its bytes are backslashes that go. */
static bool unescape(struct lexer *l, struct mox_slice raw, size_t escapes, struct mox_slice *out)
{
    *out = raw;
    if (escapes == 0)
        return true;
    uint8_t *copy = mox__arena_alloc(l->arena, raw.len - escapes, 1);
    if (copy == NULL)
        return out_of_memory(l);
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.data[i] == '\\')
            i++;
        copy[n++] = raw.data[i];
    }
    *out = slice(copy, n);
    return true;
}

static bool take_quoted(struct lexer *l, struct mox_slice *out)
{
    const uint8_t *start = l->at + 1;
    size_t escapes = 0;
    for (const uint8_t *p = start; p < l->end; p++) {
        if (*p == '"') {
            if (!unescape(l, slice(start, (size_t)(p - start)), escapes, out))
                return false;
            l->at = p + 1;
            return true;
        }
        if (*p == '\\') {
            escapes++;
            p++;
            if (p == l->end || (*p != '"' && *p != '\\'))
                return missing(l, "\\ or \" behind the backslash in a quoted string");
        } else if (*p == '\0' || *p == '\r' || *p == '\n') {
            return missing(l, "quoted string without NUL, CR and LF");
        }
    }
    return missing(l, "closing \" of the quoted string");
}

/* "{n}" or "{n+}", CRLF or LF, and n bytes: the reader has made sure that they are there when the
 * line ended with the size. */
static bool take_literal(struct lexer *l, struct mox_slice *out)
{
    const uint8_t *p = l->at + 1;
    const uint8_t *digits = p;
    uint64_t n = 0;
    while (p < l->end && is_digit(*p))
        p++;
    if (!mox__slice_uint(slice(digits, (size_t)(p - digits)), LITERAL_SIZE_MAX, &n))
        return missing(l, "size of a literal");
    if (p < l->end && *p == '+')
        p++;
    if (p == l->end || *p++ != '}')
        return missing(l, "} behind the size of a literal");
    if (p < l->end && *p == '\r')
        p++;
    if (p == l->end || *p++ != '\n' || n > (uint64_t)(l->end - p))
        return missing(l, "line end and data behind the size of a literal");
    *out = slice(p, (size_t)n);
    l->at = p + n;
    return true;
}

bool mox__lex_string(struct lexer *l, struct mox_slice *out)
{
    int c = mox__lex_peek(l);
    if (c == '"')
        return take_quoted(l, out);
    if (c == '{')
        return take_literal(l, out);
    return missing(l, "string");
}

bool mox__lex_astring(struct lexer *l, struct mox_slice *out)
{
    int c = mox__lex_peek(l);
    if (c == '"' || c == '{')
        return mox__lex_string(l, out);
    return take_run(l, is_astring_char, "atom or string", out);
}

bool mox__lex_nstring(struct lexer *l, struct mox_slice *out, bool *nil)
{
    *nil = mox__lex_word(l, "NIL");
    *out = (struct mox_slice){NULL, 0};
    if (*nil)
        return true;
    return mox__lex_string(l, out) || missing(l, "string or NIL");
}

bool mox__lex_number(struct lexer *l, uint64_t max, uint64_t *out)
{
    const uint8_t *p = l->at;
    while (p < l->end && is_digit(*p))
        p++;
    if (!mox__slice_uint(slice(l->at, (size_t)(p - l->at)), max, out))
        return missing(l, "number");
    l->at = p;
    return true;
}

/* The name of a mailbox or a pattern as UTF-8, in the arena. */
static bool decode_name(struct lexer *l, struct mox_slice raw, const char **name)
{
    if (memchr(raw.len == 0 ? (const void *)"" : raw.data, '\0', raw.len) != NULL)
        return missing(l, "mailbox name without NUL");
    char *copy = mox__arena_alloc(l->arena, mox__utf7_decoded_max(raw.len) + 1, 1);
    if (copy == NULL)
        return out_of_memory(l);
    if (mox__utf7_decode(raw, copy) < 0)
        return missing(l, "mailbox name in modified UTF-7");
    *name = copy;
    return true;
}

bool mox__lex_mailbox(struct lexer *l, const char **name)
{
    const uint8_t *start = l->at;
    struct mox_slice raw;
    if (!mox__lex_astring(l, &raw))
        return l->no_memory ? false : missing(l, "mailbox name");
    if (decode_name(l, raw, name))
        return true;
    l->at = start;
    return false;
}

bool mox__lex_list_pattern(struct lexer *l, const char **pattern)
{
    const uint8_t *start = l->at;
    int c = mox__lex_peek(l);
    struct mox_slice raw;
    bool there = c == '"' || c == '{' ? mox__lex_string(l, &raw)
                                      : take_run(l, is_list_char, "mailbox pattern", &raw);
    if (!there)
        return false;
    if (decode_name(l, raw, pattern))
        return true;
    l->at = start;
    return false;
}

bool mox__lex_parens(struct lexer *l, struct mox_slice *inner)
{
    if (l->at == l->end || *l->at != '(')
        return missing(l, "(");
    const uint8_t *close = memchr(l->at, ')', (size_t)(l->end - l->at));
    if (close == NULL)
        return missing(l, ")");
    *inner = slice(l->at + 1, (size_t)(close - l->at - 1));
    l->at = close + 1;
    return true;
}

bool mox__lex_rest(struct lexer *l, struct mox_slice *out)
{
    if (l->at == l->end)
        return missing(l, "more");
    *out = slice(l->at, (size_t)(l->end - l->at));
    l->at = l->end;
    return true;
}
