/* SPDX-License-Identifier: MIT */
#include "dns/zone.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "dns/question.h"

/* What the arena may take for a line beside its bytes: two NULs, and alignment. */
#define LINE_OVERHEAD 40

static const struct {
    const char *word;
    enum mox_dns_status status;
} outcomes[] = {
    {"!NXDOMAIN", MOX_DNS_NXDOMAIN}, {"!NODATA", MOX_DNS_NODATA}, {"!TIMEOUT", MOX_DNS_TIMEOUT},
    {"!SERVFAIL", MOX_DNS_SERVFAIL}, {"!BOGUS", MOX_DNS_BOGUS},
};

/* Where the parser is, for errors. */
struct place {
    const char *file;
    size_t line;
    struct mox_error *err;
};

static int bad(const struct place *at, const char *what)
{
    return mox__fail(at->err, MOX_ESYNTAX, "%s:%zu: %s", at->file, at->line, what);
}

static int by_place(const void *left, const void *right)
{
    const struct zone_line *a = left, *b = right;
    bool a_absent = a->status == MOX_DNS_NXDOMAIN, b_absent = b->status == MOX_DNS_NXDOMAIN;
    if (a_absent != b_absent)
        return a_absent - b_absent;
    int names = strcmp(a->name, b->name);
    if (names != 0)
        return names;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

/* Room for one more line and its record. */
static int reserve(struct mox_dns_zone *z)
{
    if (z->count < z->cap)
        return MOX_OK;
    size_t cap = z->cap == 0 ? 64 : 2 * z->cap;
    void *lines = mox__realloc(&z->env, z->lines, cap, sizeof *z->lines);
    if (lines == NULL)
        return MOX_ENOMEM;
    z->lines = lines;
    void *records = mox__realloc(&z->env, z->records, cap, sizeof *z->records);
    if (records == NULL)
        return MOX_ENOMEM;
    z->records = records;
    z->cap = cap;
    return MOX_OK;
}

/* The field before the next tab, and what is behind it. */
static bool take_field(struct mox_slice *rest, struct mox_slice *field)
{
    const uint8_t *tab = memchr(rest->data, '\t', rest->len);
    if (tab == NULL)
        return false;
    *field = slice(rest->data, (size_t)(tab - rest->data));
    *rest = slice_from(*rest, field->len + 1);
    return true;
}

static bool is_outcome(struct mox_slice value, enum mox_dns_status *out)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        if (mox__slice_is(value, outcomes[i].word)) {
            *out = outcomes[i].status;
            return true;
        }
    return false;
}

static int bad_value(const struct place *at, enum mox_dns_type type, int rc, const char *help)
{
    if (rc == MOX_ENOMEM)
        return mox__fail(at->err, rc, "%s:%zu: out of memory", at->file, at->line);
    return mox__fail(at->err, MOX_ESYNTAX,
                     "%s:%zu: no value of type %s; write %s, or an outcome such as !NXDOMAIN, "
                     "!NODATA, !TIMEOUT, !SERVFAIL or !BOGUS",
                     at->file, at->line, mox_dns_type_name(type), help);
}

static int add_line(struct mox_dns_zone *z, const struct place *at, const char *name,
                    enum mox_dns_type type, struct mox_slice value)
{
    struct zone_line line = {.type = type, .status = MOX_DNS_FOUND, .number = at->line};
    const char *help = "";
    int rc = reserve(z);
    if (rc == MOX_OK) {
        z->records[z->count] = (struct mox_dns_record){0};
        line.index = z->count;
        line.name = mox__arena_strndup(&z->arena, name, strlen(name));
        rc = line.name == NULL ? MOX_ENOMEM : MOX_OK;
    }
    if (rc == MOX_OK && !is_outcome(value, &line.status))
        rc = mox__zone_value(&z->arena, type, value, &z->records[z->count], &help);
    if (rc < 0)
        return bad_value(at, type, rc, help);
    z->lines[z->count++] = line;
    return MOX_OK;
}

static int parse_line(struct mox_dns_zone *z, const struct place *at, struct mox_slice line)
{
    char name[MOX_DOMAIN_MAX + 1];
    enum mox_dns_type type;
    struct mox_slice field;
    if (mox__slice_trim(line).len == 0 || line.data[0] == '#')
        return MOX_OK;
    if (!take_field(&line, &field))
        return bad(at, "no tab; write name, type and value with tabs between");
    if (field.len == 0 || !mox__dns_name(field, name))
        return bad(at, "no domain name before the first tab; write one such as mx.example, with "
                       "labels of 1 to 63 bytes");
    if (!take_field(&line, &field))
        return bad(at, "no second tab; write name, type and value with tabs between");
    if (!mox_dns_type_parse(field, &type))
        return bad(at, "unknown type; write A, AAAA, CNAME, MX, NS, PTR, SRV, TLSA or TXT");
    if (z->count == ZONE_LINES_MAX)
        return bad(at, "too many lines; use a smaller file");
    return add_line(z, at, name, type, line);
}

static int parse_lines(struct mox_dns_zone *z, struct place *at, struct mox_slice text)
{
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        struct mox_slice line = slice(text.data, len);
        if (len > 0 && line.data[len - 1] == '\r')
            line.len--;
        at->line++;
        int rc = parse_line(z, at, line);
        if (rc < 0)
            return rc;
        text = slice_from(text, end == NULL ? len : len + 1);
    }
    return MOX_OK;
}

/* Another line for the same question that says something else; NULL: there is none. */
static const struct zone_line *rival(const struct mox_dns_zone *z, size_t i)
{
    const struct zone_line *line = &z->lines[i];
    size_t at = mox__zone_find(z, 0, z->existing, line->name, line->type);
    if (at == z->existing)
        return NULL;
    const struct zone_line *other = &z->lines[at];
    bool is_same_question = other->type == line->type && strcmp(other->name, line->name) == 0;
    return is_same_question && other->status != line->status ? other : NULL;
}

static int check_outcomes(const struct mox_dns_zone *z, struct place *at)
{
    for (size_t i = 0; i < z->count; i++) {
        const struct zone_line *line = &z->lines[i], *other = rival(z, i);
        if (other == NULL)
            continue;
        at->line = line->number > other->number ? line->number : other->number;
        return bad(at, "records, or another outcome, stand in another line for this name and type; "
                       "keep one of them");
    }
    return MOX_OK;
}

/* Sorts, so that the records of one question stand together. */
static int sort(struct mox_dns_zone *z)
{
    struct mox_dns_record *sorted = mem_new(&z->env, struct mox_dns_record, z->count + 1);
    if (sorted == NULL)
        return MOX_ENOMEM;
    if (z->count > 1)
        qsort(z->lines, z->count, sizeof *z->lines, by_place);
    for (size_t i = 0; i < z->count; i++) {
        sorted[i] = z->records[z->lines[i].index];
        if (z->lines[i].status != MOX_DNS_NXDOMAIN)
            z->existing = i + 1;
    }
    mox__mem_free(&z->env, z->records);
    z->records = sorted;
    return MOX_OK;
}

int mox_dns_zone_parse(struct mox_dns_zone **out, const struct mox_env *env, struct mox_slice text,
                       const char *name, struct mox_error *err)
{
    struct place at = {.file = name, .err = err};
    *out = NULL;
    if (text.len > ZONE_BYTES_MAX)
        return mox__fail(err, MOX_ESYNTAX, "%s: more than %zu bytes; use a smaller file", name,
                         ZONE_BYTES_MAX);
    struct mox_dns_zone *z = mem_new(env, struct mox_dns_zone, 1);
    if (z == NULL)
        return mox__fail(err, MOX_ENOMEM, "read %s: out of memory", name);
    z->env = *env;
    mox__arena_init(&z->arena, &z->env, ZONE_BYTES_MAX + ZONE_LINES_MAX * LINE_OVERHEAD);

    int rc = parse_lines(z, &at, text);
    if (rc < 0)
        goto done;
    rc = sort(z);
    if (rc < 0) {
        rc = mox__fail(err, rc, "read %s: out of memory", name);
        goto done;
    }
    rc = check_outcomes(z, &at);
    if (rc < 0)
        goto done;
    *out = z;
    z = NULL;
done:
    mox_dns_zone_free(z);
    return rc;
}
