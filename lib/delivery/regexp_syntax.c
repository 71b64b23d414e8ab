/* SPDX-License-Identifier: MIT */
#include "delivery/regexp.h"

#include "base/buf.h"
#include "base/text.h"
#include "delivery/lower.h"

/* What of PCRE2's syntax is not RE2's (https://github.com/google/re2/wiki/Syntax): it takes more time
 * than the text is long, or looks outside of it. PCRE2 itself finds all other mistakes. */

struct scan {
    const char *pattern;
    size_t at;
    bool lower;            /* upper case is a mistake */
    bool in_class;         /* [...] */
    bool quoted;           /* \Q...\E */
    bool after_quantifier; /* a + would take without going back */
};

static bool starts(const struct scan *s, const char *text)
{
    return strncmp(s->pattern + s->at, text, strlen(text)) == 0;
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static const char *upper_case(struct scan *s)
{
    uint8_t lower[16];
    size_t len = 1;
    while (((uint8_t)s->pattern[s->at + len] & 0xc0) == 0x80)
        len++;
    const struct mox_slice c = slice(s->pattern + s->at, len);
    struct buf out = buf_over(lower, sizeof lower);
    mox__lower(&out, c);
    if (s->lower && !mox__slice_eq(c, slice(out.data, out.len)))
        return "upper case, but headers are looked at in lower case; write it in lower case";
    s->at += len;
    return NULL;
}

/* Behind \p a property, L or {Greek}; behind \x a character's digits, 41 or {1F600}. */
static void skip_argument(struct scan *s, const char *digits, size_t max)
{
    const char *end = s->pattern[s->at] == '{' ? strchr(s->pattern + s->at, '}') : NULL;
    if (end != NULL)
        s->at = (size_t)(end - s->pattern) + 1;
    else
        while (max-- > 0 && is_one_of(s->pattern[s->at], digits))
            s->at++;
}

static const char *escape(struct scan *s)
{
    char c = s->pattern[s->at + 1];
    if (c == '\0')
        return "a \\ at the end; write \\\\ for a \\";
    if ((c >= '1' && c <= '9') || is_one_of(c, "gk"))
        return "back-references are not supported";
    if (is_alpha((uint8_t)c) && !is_one_of(c, "aftnrvxdDsSwWbBAzpPQE"))
        return "this letter has no meaning behind a \\";
    s->at += 2;
    s->quoted = c == 'Q';
    if (is_one_of(c, "pP"))
        skip_argument(s, "CLMNPSZ", 1);
    else if (c == 'x')
        skip_argument(s, "0123456789abcdefABCDEF", 2);
    return NULL;
}

/* (?i), (?i-s: and the like. */
static const char *flags(struct scan *s)
{
    size_t end = s->at + 2;
    while (is_one_of(s->pattern[end], "imsU-"))
        end++;
    if (!is_one_of(s->pattern[end], ":)"))
        return "unknown kind of group; known are (...), (?:...), (?P<name>...) and flags of imsU";
    s->at = s->pattern[end] == ':' ? end + 1 : end;
    return NULL;
}

static const char *named_group(struct scan *s)
{
    const char *end = strchr(s->pattern + s->at, '>');
    if (end == NULL)
        return "the name of the group has no > at its end";
    s->at = (size_t)(end - s->pattern) + 1;
    return NULL;
}

static const char *group(struct scan *s)
{
    static const struct {
        const char *start, *problem;
    } refused[] = {
        {"(*", "control verbs, (*...), are not supported"},
        {"(?=", "look-ahead is not supported"},
        {"(?!", "look-ahead is not supported"},
        {"(?<=", "look-behind is not supported"},
        {"(?<!", "look-behind is not supported"},
        {"(?P=", "back-references are not supported"},
        {"(?P>", "recursion is not supported"},
        {"(?R", "recursion is not supported"},
        {"(?&", "recursion is not supported"},
        {"(?+", "recursion is not supported"},
        {"(?>", "groups that are not gone back into are not supported"},
        {"(?|", "groups with equal numbers are not supported"},
        {"(?(", "conditions are not supported"},
        {"(?#", "comments are not supported"},
        {"(?C", "callouts are not supported"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (starts(s, refused[i].start))
            return refused[i].problem;
    if (starts(s, "(?P<") || starts(s, "(?<"))
        return named_group(s);
    if (starts(s, "(?")) {
        size_t digit = s->at + 2 + (s->pattern[s->at + 2] == '-');
        return is_digit((uint8_t)s->pattern[digit]) ? "recursion is not supported" : flags(s);
    }
    s->at++;
    return NULL;
}

/* {2}, {2,} or {2,3}; another { stands for itself. */
static size_t counted(const char *text)
{
    size_t at = 1;
    while (is_digit((uint8_t)text[at]))
        at++;
    if (at > 1 && text[at] == ',')
        at++;
    while (is_digit((uint8_t)text[at]))
        at++;
    return at > 1 && text[at] == '}' ? at + 1 : 0;
}

/* *, +, ? or a count, with the ? behind it that makes it take as little as it can. */
static const char *quantifier(struct scan *s, size_t len)
{
    if (s->after_quantifier)
        return s->pattern[s->at] == '+' ? "quantifiers that do not go back are not supported"
                                        : "two quantifiers";
    s->at += len;
    if (s->pattern[s->at] == '?')
        s->at++;
    s->after_quantifier = true;
    return NULL;
}

static const char *in_class(struct scan *s)
{
    if (starts(s, "[:")) {
        const char *end = strstr(s->pattern + s->at, ":]");
        if (end != NULL) {
            s->at = (size_t)(end - s->pattern) + 2;
            return NULL;
        }
    }
    s->in_class = s->pattern[s->at] != ']';
    return upper_case(s);
}

/* The ] that comes first is a member. */
static void enter_class(struct scan *s)
{
    s->in_class = true;
    s->at++;
    if (s->pattern[s->at] == '^')
        s->at++;
    if (s->pattern[s->at] == ']')
        s->at++;
}

static const char *in_quotes(struct scan *s)
{
    if (!starts(s, "\\E"))
        return upper_case(s);
    s->quoted = false;
    s->at += 2;
    return NULL;
}

static const char *item(struct scan *s)
{
    char c = s->pattern[s->at];
    size_t len = c == '{' ? counted(s->pattern + s->at) : is_one_of(c, "*+?");
    if (len > 0)
        return quantifier(s, len);
    s->after_quantifier = false;
    if (c == '(')
        return group(s);
    if (c != '[')
        return upper_case(s);
    enter_class(s);
    return NULL;
}

static const char *next(struct scan *s)
{
    if (s->quoted)
        return in_quotes(s);
    if (s->pattern[s->at] == '\\') {
        s->after_quantifier = false;
        return escape(s);
    }
    return s->in_class ? in_class(s) : item(s);
}

const char *mox__regexp_problem(const char *pattern, enum regexp_case how, size_t *at)
{
    struct scan s = {.pattern = pattern, .lower = how == REGEXP_LOWER_CASE};
    const char *problem = NULL;
    while (problem == NULL && pattern[s.at] != '\0')
        problem = next(&s);
    *at = s.at;
    return problem;
}
