/* SPDX-License-Identifier: MIT */
#include "imap/assemble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/header.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/sexp.h"

#define SECTION_TEXT 600 /* the longest name: some hundred levels */
#define RANGES       3

struct client {
    struct talk *t;
    unsigned number;
    struct assembly *counts;
};

/* --- fetching --- */

/* A copy of BODY[section]; false when it does not exist. */
static bool fetch(struct client *c, const char *section, struct mox_slice *out)
{
    char line[SECTION_TEXT + 64], label[SECTION_TEXT + 64];
    struct mox_slice got;
    (void)snprintf(line, sizeof line, "FETCH %u BODY.PEEK[%s]", c->number, section);
    (void)snprintf(label, sizeof label, "BODY[%s]", section);
    const char *said = talk(c->t, line);
    if (strstr(said, "\r\nt OK") == NULL && memmem(said, c->t->len, "\r\nt OK", 6) == NULL)
        return false;
    if (!talk_literal(c->t, label, &got))
        return false;
    uint8_t *copy = malloc(got.len + 1);
    assert_non_null(copy);
    memcpy(copy, got.data, got.len);
    *out = slice(copy, got.len);
    c->counts->sections++;
    return true;
}

static void give_back(struct mox_slice s)
{
    free((void *)(uintptr_t)s.data);
}

static void must_be(struct client *c, const char *what, struct mox_slice got,
                    struct mox_slice expected)
{
    if (!mox__slice_eq(got, expected))
        fail_msg("message %u: %s has %zu bytes, not %zu, or others", c->number, what, got.len,
                 expected.len);
}

/* The section in a few ranges, the last of which goes beyond its end. */
static void check_ranges(struct client *c, const char *section, struct mox_slice whole)
{
    const size_t step = whole.len / RANGES + 1;
    char line[SECTION_TEXT + 64], label[SECTION_TEXT + 64];
    for (size_t at = 0; at <= whole.len + step; at += step) {
        struct mox_slice got, rest = slice_from(whole, at < whole.len ? at : whole.len);
        (void)snprintf(line, sizeof line, "FETCH %u BODY.PEEK[%s]<%zu.%zu>", c->number, section, at,
                       step);
        (void)snprintf(label, sizeof label, "BODY[%s]<%zu>", section, at);
        (void)talk_ok(c->t, line);
        if (!talk_literal(c->t, label, &got))
            fail_msg("message %u: no %s", c->number, label);
        must_be(c, label, got, slice(rest.data, rest.len < step ? rest.len : step));
        c->counts->ranges++;
    }
}

/* first and then second, which are given back, must be the whole. */
static void check_halves(struct client *c, const char *path, struct mox_slice whole)
{
    char name[SECTION_TEXT];
    struct mox_slice header, text;
    const char *dot = *path == '\0' ? "" : ".";
    (void)snprintf(name, sizeof name, "%s%sHEADER", path, dot);
    if (!fetch(c, name, &header))
        fail_msg("message %u: no BODY[%s]", c->number, name);
    (void)snprintf(name, sizeof name, "%s%sTEXT", path, dot);
    if (!fetch(c, name, &text))
        fail_msg("message %u: no BODY[%s]", c->number, name);
    assert_true(header.len + text.len == whole.len);
    must_be(c, "HEADER", header, slice(whole.data, header.len));
    must_be(c, "TEXT", text, slice_from(whole, header.len));
    give_back(header);
    give_back(text);
}

/* --- putting together --- */

/* The length of the line end at `at`. */
static size_t line_end(struct mox_slice s, size_t at)
{
    if (at < s.len && s.data[at] == '\n')
        return 1;
    return s.len - at >= 2 && memcmp(s.data + at, "\r\n", 2) == 0 ? 2 : 0;
}

/* Whether a boundary may end in front of `at`: with its line, with white space, or closing. */
static bool may_end(struct mox_slice s, size_t at)
{
    return at == s.len || memchr(" \t\r\n", s.data[at], 4) != NULL ||
           (s.len - at >= 2 && memcmp(s.data + at, "--", 2) == 0);
}

/* The next line at or behind `from` that is a delimiter; SIZE_MAX if there is none. */
static size_t find_delimiter(struct mox_slice body, size_t from, struct mox_slice boundary)
{
    for (size_t at = from; at + 2 + boundary.len <= body.len; at++) {
        if ((at == 0 || body.data[at - 1] == '\n') && memcmp(body.data + at, "--", 2) == 0 &&
            mox__slice_eq(slice(body.data + at + 2, boundary.len), boundary) &&
            may_end(body, at + 2 + boundary.len))
            return at;
    }
    return SIZE_MAX;
}

static size_t behind_line(struct mox_slice s, size_t at)
{
    const uint8_t *lf = at >= s.len ? NULL : memchr(s.data + at, '\n', s.len - at);
    return lf == NULL ? s.len : (size_t)(lf - s.data) + 1;
}

/* What BODY[n.MIME] has of a header: its fields of MIME and an empty line. */
static bool is_mime_of(struct mox_slice mime, struct mox_slice header, bool *cut)
{
    size_t used = 0;
    *cut = false;
    for (size_t at = 0; at < header.len && line_end(header, at) == 0;) {
        const size_t line = behind_line(header, at) - at; /* which has the name and its colon */
        size_t end = at + line;
        while (end < header.len && (header.data[end] == ' ' || header.data[end] == '\t'))
            end = behind_line(header, end);
        struct mox_slice field = slice(header.data + at, end - at);
        at = end;
        if (!mox__slice_starts_nocase(mox__slice_trim(field), "content-") ||
            memchr(field.data, ':', line) == NULL) {
            *cut = true;
            continue;
        }
        if (mime.len - used < field.len || memcmp(mime.data + used, field.data, field.len) != 0)
            return false;
        used += field.len;
    }
    return mime.len - used == 2 && memcmp(mime.data + used, "\r\n", 2) == 0;
}

/* Where a part is in the body of its multipart, behind its delimiter. */
struct place {
    size_t header, body, end;
};

/* The part behind a delimiter, if it has this body and ends at `end`. */
static bool is_part(struct mox_slice all, struct mox_slice mime, struct mox_slice body, size_t end,
                    struct place *p, bool *cut)
{
    if (end < p->header + body.len)
        return false;
    p->end = end;
    p->body = end - body.len;
    return (body.len == 0 || memcmp(all.data + p->body, body.data, body.len) == 0) &&
           is_mime_of(mime, slice(all.data + p->header, p->body - p->header), cut);
}

/* The part that starts behind the delimiter at `at` and has this body: it ends in front of one of the
 * delimiters that follow, whose line end is the delimiter's, or with the whole. */
static bool find_part(struct mox_slice all, size_t at, struct mox_slice boundary,
                      struct mox_slice mime, struct mox_slice body, struct place *p, bool *cut)
{
    p->header = behind_line(all, at);
    for (size_t next = p->header;; next++) {
        next = find_delimiter(all, next, boundary);
        size_t end = next == SIZE_MAX ? all.len : next, before = end;
        if (next != SIZE_MAX && end > p->header)
            before -= end >= p->header + 2 && all.data[end - 2] == '\r' ? 2 : 1;
        /* A header without an empty line behind it keeps its line end. */
        if (is_part(all, mime, body, before, p, cut) || is_part(all, mime, body, end, p, cut))
            return true;
        if (next == SIZE_MAX)
            return false;
    }
}

static bool is_multipart(const struct sexp *s)
{
    return s->kind == SEXP_LIST && s->count > 0 && s->items[0].kind == SEXP_LIST;
}

static bool boundary_of(const struct sexp *s, size_t children, struct mox_slice *out)
{
    const struct sexp *params = &s->items[children + 1];
    for (size_t i = 0; s->count > children + 1 && i + 1 < params->count; i += 2)
        if (mox__slice_is_nocase(params->items[i].text, "boundary")) {
            *out = params->items[i + 1].text;
            return true;
        }
    return false;
}

static void check_part(struct client *c, const struct sexp *s, const char *path,
                       struct mox_slice body);

/* Only the line end of a delimiter is between two parts. */
static void check_gap(struct client *c, struct mox_slice all, size_t from, size_t delimiter)
{
    if (from + line_end(all, from) != delimiter)
        fail_msg("message %u: %zu bytes between two parts belong to none", c->number,
                 delimiter - from);
}

static void check_children(struct client *c, const struct sexp *s, const char *path,
                           struct mox_slice all)
{
    struct mox_slice boundary;
    size_t count = 0, at = 0;
    while (count < s->count && s->items[count].kind == SEXP_LIST)
        count++;
    if (!boundary_of(s, count, &boundary) || strlen(path) > SECTION_TEXT - 40)
        return;
    for (size_t i = 0; i < count; i++) {
        char child[SECTION_TEXT], name[SECTION_TEXT + 8];
        struct mox_slice mime, body;
        struct place p;
        bool cut = false, found = false;
        (void)snprintf(child, sizeof child, "%s%s%zu", path, *path == '\0' ? "" : ".", i + 1);
        (void)snprintf(name, sizeof name, "%s.MIME", child);
        if (!fetch(c, child, &body) || !fetch(c, name, &mime))
            fail_msg("message %u: no part %s", c->number, child);
        for (size_t d = at; !found; d++) {
            d = find_delimiter(all, d, boundary);
            if (d == SIZE_MAX) {
                if (count == 1 && body.len == 0)
                    break; /* a multipart without parts is told as one with an empty one */
                fail_msg("message %u: part %s is not in its multipart", c->number, child);
            }
            found = find_part(all, d, boundary, mime, body, &p, &cut);
            if (found && i > 0)
                check_gap(c, all, at, d);
        }
        c->counts->parts++;
        c->counts->cut += cut;
        if (found) {
            at = p.end;
            check_part(c, &s->items[i], child, body);
        }
        give_back(mime);
        give_back(body);
    }
}

/* What is inside of a part with this body. */
static void check_part(struct client *c, const struct sexp *s, const char *path,
                       struct mox_slice body)
{
    if (is_multipart(s)) {
        check_children(c, s, path, body);
        return;
    }
    bool is_message = s->count > 8 && mox__slice_is_nocase(s->items[0].text, "message") &&
                      s->items[8].kind == SEXP_LIST;
    struct mox_slice text;
    char name[SECTION_TEXT + 8];
    (void)snprintf(name, sizeof name, "%s.TEXT", path);
    if (!is_message || !fetch(c, name, &text))
        return; /* its structure may be told though it was too deep to be taken apart */
    check_halves(c, path, body);
    if (is_multipart(&s->items[8]))
        check_children(c, &s->items[8], path, text);
    give_back(text);
}

static void check_structure(struct client *c)
{
    char line[64];
    struct sexp s;
    struct mox_slice text, one;
    (void)snprintf(line, sizeof line, "FETCH %u BODYSTRUCTURE", c->number);
    (void)talk_ok(c->t, line);
    const char *start = strstr((const char *)c->t->got, "BODYSTRUCTURE ");
    assert_non_null(start);
    size_t at = (size_t)((const uint8_t *)start - c->t->got) + strlen("BODYSTRUCTURE ");
    if (!sexp_read(slice(c->t->got, c->t->len), &at, &s))
        fail_msg("message %u: BODYSTRUCTURE is malformed", c->number);
    if (!fetch(c, "TEXT", &text))
        fail_msg("message %u: no BODY[TEXT]", c->number);
    if (is_multipart(&s)) {
        check_children(c, &s, "", text);
    } else {
        c->counts->parts++; /* the body of a message that is no multipart is its part 1 */
        if (!fetch(c, "1", &one))
            fail_msg("message %u: no BODY[1]", c->number);
        must_be(c, "BODY[1]", one, text);
        check_part(c, &s, "1", one);
        give_back(one);
    }
    give_back(text);
    sexp_free(&s);
}

struct mox_slice assemble(struct talk *t, unsigned number, struct assembly *counts)
{
    struct client c = {t, number, counts};
    struct mox_slice whole;
    if (!fetch(&c, "", &whole))
        fail_msg("message %u: no BODY[]", number);
    check_halves(&c, "", whole);
    check_ranges(&c, "", whole);
    check_ranges(&c, "TEXT", slice_from(whole, mox_header_end(whole)));
    check_structure(&c);
    return whole;
}
