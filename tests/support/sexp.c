/* SPDX-License-Identifier: MIT */
#include "support/sexp.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static bool read_quoted(struct mox_slice in, size_t *at, struct sexp *out)
{
    uint8_t *text = malloc(in.len - *at);
    size_t len = 0;
    out->kind = SEXP_STRING;
    for (++*at; *at < in.len && in.data[*at] != '"'; ++*at) {
        uint8_t c = in.data[*at];
        if (c == '\\') {
            c = ++*at < in.len ? in.data[*at] : 0;
            if (c != '\\' && c != '"')
                break;
        }
        if (c == 0 || c == '\r' || c == '\n' || c >= 0x80)
            break;
        text[len++] = c;
    }
    out->text = slice(text, len);
    return *at < in.len && in.data[(*at)++] == '"';
}

static bool read_literal(struct mox_slice in, size_t *at, struct sexp *out)
{
    size_t len = 0, digits = 0;
    for (++*at; *at < in.len && is_digit(in.data[*at]) && digits < 9; ++*at, digits++)
        len = len * 10 + (size_t)(in.data[*at] - '0');
    out->kind = SEXP_STRING;
    if (digits == 0 || in.len - *at < 3 || memcmp(in.data + *at, "}\r\n", 3) != 0)
        return false;
    *at += 3;
    if (in.len - *at < len || memchr(in.data + *at, 0, len) != NULL)
        return false;
    uint8_t *text = malloc(len + 1);
    memcpy(text, in.data + *at, len);
    out->text = slice(text, len);
    *at += len;
    return true;
}

/* Items with single spaces between; none is needed between lists. */
static bool read_list(struct mox_slice in, size_t *at, struct sexp *out)
{
    out->kind = SEXP_LIST;
    for (++*at; *at < in.len && in.data[*at] != ')';) {
        if (out->count > 0 && in.data[*at] == ' ')
            ++*at;
        else if (out->count > 0 && in.data[*at] != '(')
            return false;
        if ((out->count & (out->count - 1)) == 0)
            out->items = realloc(out->items, (2 * out->count + 1) * sizeof *out->items);
        if (!sexp_read(in, at, &out->items[out->count++]))
            return false;
    }
    return *at < in.len && in.data[(*at)++] == ')' && out->count > 0;
}

bool sexp_read(struct mox_slice in, size_t *at, struct sexp *out)
{
    *out = (struct sexp){.kind = SEXP_NIL};
    if (*at >= in.len)
        return false;
    uint8_t c = in.data[*at];
    if (c == '(')
        return read_list(in, at, out);
    if (c == '"')
        return read_quoted(in, at, out);
    if (c == '{')
        return read_literal(in, at, out);
    if (in.len - *at >= 3 && memcmp(in.data + *at, "NIL", 3) == 0) {
        *at += 3;
        return true;
    }
    size_t start = *at;
    while (*at < in.len && is_digit(in.data[*at]))
        ++*at;
    out->kind = SEXP_NUMBER;
    uint8_t *text = malloc(*at - start + 1);
    memcpy(text, in.data + start, *at - start);
    out->text = slice(text, *at - start);
    return *at > start;
}

void sexp_free(struct sexp *s)
{
    for (size_t i = 0; i < s->count; i++)
        sexp_free(&s->items[i]);
    free(s->items);
    if (s->kind == SEXP_STRING || s->kind == SEXP_NUMBER)
        free((void *)(uintptr_t)s->text.data);
    *s = (struct sexp){.kind = SEXP_NIL};
}
