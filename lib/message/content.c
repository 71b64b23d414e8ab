/* SPDX-License-Identifier: MIT */
#include "message/content.h"

#include <string.h>

#include "base/text.h"

static bool is_white(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the comment that opens at `at`. */
static size_t skip_comment(struct mox_slice s, size_t at)
{
    size_t depth = 0;
    for (; at < s.len; at++) {
        uint8_t c = s.data[at];
        if (c == '\\' && at + 1 < s.len)
            at++;
        else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            return at + 1;
    }
    return s.len;
}

size_t mox__skip_cfws(struct mox_slice s, size_t at)
{
    while (at < s.len) {
        if (is_white(s.data[at]))
            at++;
        else if (s.data[at] == '(')
            at = skip_comment(s, at);
        else
            break;
    }
    return at;
}

/* RFC 2045 §5.1, and DEL. */
static const bool tspecials[256] = {
    ['('] = true, [')'] = true, ['<'] = true, ['>'] = true,  ['@'] = true, [','] = true,
    [';'] = true, [':'] = true, ['/'] = true, ['\\'] = true, ['"'] = true, ['['] = true,
    [']'] = true, ['?'] = true, ['='] = true, [0x7f] = true,
};

/* Printable but tspecials. 8-bit bytes are let through. */
static bool is_token(uint8_t c)
{
    return c > ' ' && !tspecials[c];
}

/* What is between `start` and the place. */
static struct mox_slice taken(const struct params *p, size_t start)
{
    struct mox_slice s = slice_from(p->text, start);
    s.len = p->at - start;
    return s;
}

/* Takes the token at p; empty when there is none. */
static struct mox_slice take_token(struct params *p)
{
    p->at = mox__skip_cfws(p->text, p->at);
    size_t start = p->at;
    while (p->at < p->text.len && is_token(p->text.data[p->at]))
        p->at++;
    return taken(p, start);
}

struct mox_slice mox__content_token(struct params *p)
{
    struct mox_slice token = take_token(p);
    p->at = mox__skip_cfws(p->text, p->at);
    return token;
}

bool mox__content_type(struct mox_slice value, struct mox_slice *type, struct mox_slice *subtype,
                       struct params *rest)
{
    *rest = (struct params){.text = value};
    *type = mox__content_token(rest);
    *subtype = slice(value.data, 0);
    if (rest->at >= value.len || value.data[rest->at] != '/')
        return false;
    rest->at++;
    *subtype = mox__content_token(rest);
    return type->len > 0 && subtype->len > 0;
}

/* The quoted string that opens at p->at, without its quotes; an open one ends with the text. */
static struct mox_slice take_quoted(struct params *p)
{
    size_t start = ++p->at;
    while (p->at < p->text.len && p->text.data[p->at] != '"')
        p->at += p->text.data[p->at] == '\\' && p->at + 1 < p->text.len ? 2 : 1;
    struct mox_slice s = taken(p, start);
    if (p->at < p->text.len)
        p->at++;
    return s;
}

/* Up to white space or a semicolon: real values have '=', '/', ':' and the like unquoted,
 * boundaries above all. */
static struct mox_slice take_bare(struct params *p)
{
    size_t start = p->at;
    while (p->at < p->text.len && !is_white(p->text.data[p->at]) && p->text.data[p->at] != ';')
        p->at++;
    return taken(p, start);
}

/* Behind the next semicolon that is not in quotes or a comment. */
static void skip_to_semicolon(struct params *p)
{
    while (p->at < p->text.len) {
        uint8_t c = p->text.data[p->at];
        if (c == ';') {
            p->at++;
            return;
        }
        if (c == '"')
            (void)take_quoted(p);
        else if (c == '(')
            p->at = skip_comment(p->text, p->at);
        else
            p->at++;
    }
}

bool mox__param_next(struct params *p, struct param *out)
{
    while (p->at < p->text.len) {
        struct mox_slice name = mox__content_token(p);
        if (name.len == 0 || p->at >= p->text.len || p->text.data[p->at] != '=') {
            skip_to_semicolon(p);
            continue;
        }
        p->at = mox__skip_cfws(p->text, p->at + 1);
        out->name = name;
        out->quoted = p->at < p->text.len && p->text.data[p->at] == '"';
        out->value = out->quoted ? take_quoted(p) : take_bare(p);
        return true;
    }
    return false;
}

bool mox__param_find(struct params p, const char *name, struct param *out)
{
    for (unsigned i = 0; i < PARAMS_MAX && mox__param_next(&p, out); i++)
        if (mox__slice_is_nocase(out->name, name))
            return true;
    return false;
}

bool mox__param_is_escaped(const struct param *param)
{
    struct mox_slice s = param->value;
    return param->quoted && s.len > 0 &&
           (memchr(s.data, '\\', s.len) != NULL || memchr(s.data, '\n', s.len) != NULL);
}

void mox__param_text(struct buf *out, const struct param *param)
{
    if (mox__param_is_escaped(param))
        mox__buf_unquoted(out, param->value);
    else
        mox__buf_slice(out, param->value);
}

/* "%XX" (RFC 2231 §4); what is none stays. */
static void put_percent_decoded(struct buf *out, struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        int high = s.data[i] == '%' && s.len - i > 2 ? hex_value(s.data[i + 1]) : -1;
        int low = high >= 0 ? hex_value(s.data[i + 2]) : -1;
        if (low >= 0)
            i += 2;
        mox__buf_byte(out, low >= 0 ? (uint8_t)(high * 16 + low) : s.data[i]);
    }
}

/* Takes "charset'language'" off the front of a value. */
static struct mox_slice take_charset(struct mox_slice s, struct mox_slice *charset)
{
    const uint8_t *first = s.len > 0 ? memchr(s.data, '\'', s.len) : NULL;
    if (first == NULL)
        return s;
    struct mox_slice rest = slice_from(s, (size_t)(first - s.data) + 1);
    const uint8_t *second = rest.len > 0 ? memchr(rest.data, '\'', rest.len) : NULL;
    if (second == NULL)
        return s;
    *charset = slice(s.data, (size_t)(first - s.data));
    return slice_from(rest, (size_t)(second - rest.data) + 1);
}

/* What stands behind name and "*" in a parameter's name: "" or "0", "0*" …; or false. */
static bool suffix_of(struct mox_slice param, const char *name, struct mox_slice *suffix)
{
    size_t len = strlen(name);
    if (param.len <= len || !mox__slice_starts_nocase(param, name) || param.data[len] != '*')
        return false;
    *suffix = slice_from(param, len + 1);
    return true;
}

bool mox__param_value(struct params p, const char *name, struct buf *out, struct mox_slice *charset)
{
    *charset = slice("", 0);
    struct param param;
    struct mox_slice suffix;
    if (mox__param_find(p, name, &param)) {
        mox__param_text(out, &param);
        return true;
    }
    uint64_t section = 0;
    for (unsigned i = 0; i < PARAMS_MAX && mox__param_next(&p, &param); i++) {
        uint64_t number = 0;
        if (!suffix_of(param.name, name, &suffix))
            continue;
        bool encoded = suffix.len == 0 || suffix.data[suffix.len - 1] == '*';
        suffix.len -= encoded && suffix.len > 0;
        if ((suffix.len > 0 && !mox__slice_uint(suffix, PARAMS_MAX, &number)) || number != section)
            continue;
        if (encoded)
            put_percent_decoded(out,
                                section == 0 ? take_charset(param.value, charset) : param.value);
        else
            mox__param_text(out, &param);
        section++;
    }
    return section > 0;
}
