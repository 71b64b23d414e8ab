/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "message/content.h"
#include "message/part.h"
#include "message/wire.h"

/* RFC 9051 §9, `body`. The tree is walked without recursion: begin() writes a part up to its first
 * child, finish() what follows its last one. */

/* A name longer than this is no parameter's. It also bounds what sorting compares. */
#define PARAM_NAME_MAX 256

struct writer {
    struct buf *out;
    struct mox_slice content;
    bool extended; /* BODYSTRUCTURE */
};

static bool is_before(struct mox_slice a, struct mox_slice b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (to_upper(a.data[i]) != to_upper(b.data[i]))
            return to_upper(a.data[i]) < to_upper(b.data[i]);
    return a.len < b.len;
}

/* Where a name goes in a sorted list: behind equal ones, which stay in their order. */
static size_t place_of(struct mox_slice name, const struct param *list, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(name, list[middle].name))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Reads the parameters in order of their names. */
static size_t sort_params(struct params p, struct param *list)
{
    size_t count = 0;
    struct param param;
    while (count < PARAMS_MAX && mox__param_next(&p, &param)) {
        if (param.name.len > PARAM_NAME_MAX)
            continue;
        size_t i = place_of(param.name, list, count);
        memmove(list + i + 1, list + i, (count++ - i) * sizeof *list);
        list[i] = param;
    }
    return count;
}

static void put_param(struct buf *out, const struct param *param)
{
    mox__wire_upper(out, param->name);
    mox__buf_byte(out, ' ');
    if (!mox__param_is_escaped(param)) {
        mox__wire_string(out, param->value);
        return;
    }
    struct buf text;
    mox__buf_init(&text, out->env, param->value.len);
    mox__param_text(&text, param);
    mox__wire_string(out, slice(text.data, text.len));
    out->failed |= text.failed;
    mox__buf_free(&text);
}

/* "charset", also in the forms of RFC 2231. */
static bool is_charset(struct mox_slice name)
{
    return mox__slice_starts_nocase(name, "charset") && (name.len == 7 || name.data[7] == '*');
}

/* body-fld-param. `charset` stands in where the text has none (RFC 2046 §4.1.2). */
static void put_params(struct buf *out, struct params p, const char *charset)
{
    struct param list[PARAMS_MAX];
    size_t count = sort_params(p, list);
    size_t at = 0;
    const char *separator = "(";
    for (bool named = charset == NULL; at < count || !named; separator = " ") {
        struct mox_slice name = slice_of("CHARSET");
        mox__buf_text(out, separator);
        named = named || (at < count && is_charset(list[at].name));
        if (!named && (at == count || is_before(name, list[at].name))) {
            mox__buf_printf(out, "\"CHARSET\" \"%s\"", charset);
            named = true;
        } else {
            put_param(out, &list[at++]);
        }
    }
    mox__buf_text(out, *separator == '(' ? "NIL" : ")");
}

/* The parameters behind the part's type; none when the type was replaced. */
static struct params type_params(const struct mox_part *part)
{
    struct params p = {0};
    struct mox_slice type, subtype, value = part->fields[MOX_FIELD_TYPE];
    if (value.data == NULL || !mox__content_type(value, &type, &subtype, &p) ||
        subtype.data != part->subtype.data)
        p = (struct params){0};
    return p;
}

static void put_disposition(struct buf *out, struct mox_slice value)
{
    struct params p = {.text = value};
    struct mox_slice token = mox__content_token(&p);
    if (token.len == 0) {
        mox__buf_text(out, "NIL");
        return;
    }
    mox__buf_byte(out, '(');
    mox__wire_string(out, token);
    mox__buf_byte(out, ' ');
    put_params(out, p, NULL);
    mox__buf_byte(out, ')');
}

/* RFC 3282: tags with commas between. */
static void put_languages(struct buf *out, struct mox_slice value)
{
    struct params p = {.text = value};
    const char *separator = "(";
    for (unsigned i = 0; i < PARAMS_MAX && p.at < value.len; i++) {
        struct mox_slice tag = mox__content_token(&p);
        p.at += p.at < value.len; /* the comma, or what stands in its place */
        if (tag.len == 0)
            continue;
        mox__buf_text(out, separator);
        mox__wire_string(out, tag);
        separator = " ";
    }
    mox__buf_text(out, *separator == '(' ? "NIL" : ")");
}

/* What follows MD5 or, in multiparts, the parameters. */
static void put_extensions(struct buf *out, const struct mox_part *part)
{
    mox__buf_byte(out, ' ');
    put_disposition(out, part->fields[MOX_FIELD_DISPOSITION]);
    mox__buf_byte(out, ' ');
    put_languages(out, part->fields[MOX_FIELD_LANGUAGE]);
    mox__buf_byte(out, ' ');
    mox__wire_value(out, part->fields[MOX_FIELD_LOCATION]);
}

static void put_encoding(struct buf *out, const struct mox_part *part)
{
    struct mox_slice token = mox__part_encoding(part);
    if (token.len == 0)
        token = slice_of("7BIT");
    if (part->encoding == MOX_ENCODING_UNKNOWN)
        mox__wire_string(out, token);
    else
        mox__wire_upper(out, token);
}

/* media-basic and body-fields. */
static void put_fields(struct buf *out, const struct mox_part *part)
{
    mox__wire_upper(out, part->type);
    mox__buf_byte(out, ' ');
    mox__wire_upper(out, part->subtype);
    mox__buf_byte(out, ' ');
    put_params(out, type_params(part), mox_part_is_text(part) ? "US-ASCII" : NULL);
    mox__buf_byte(out, ' ');
    mox__wire_value(out, part->fields[MOX_FIELD_ID]);
    mox__buf_byte(out, ' ');
    mox__wire_value(out, part->fields[MOX_FIELD_DESCRIPTION]);
    mox__buf_byte(out, ' ');
    put_encoding(out, part);
    mox__buf_byte(out, ' ');
    mox__buf_uint(out, part->end - part->body);
}

#define EMPTY_TEXT "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 0 0"

/* For a message type the grammar wants an envelope and a body, also when the part is a leaf since
 * it is encoded or too deep: then those of an empty message. */
static void begin_message(const struct writer *w, const struct mox_part *part)
{
    const struct mox_part *root = part->children;
    mox__buf_byte(w->out, ' ');
    mox__headers_envelope(slice(NULL, 0),
                          root != NULL ? mox_part_header(root, w->content) : slice("", 0), w->out);
    mox__buf_byte(w->out, ' ');
    if (root == NULL)
        mox__buf_text(w->out, w->extended ? EMPTY_TEXT " NIL NIL NIL NIL)" : EMPTY_TEXT ")");
}

static void begin(const struct writer *w, const struct mox_part *part)
{
    mox__buf_byte(w->out, '(');
    if (part->kind == MOX_PART_MULTIPART)
        return;
    put_fields(w->out, part);
    if (mox__part_is_message(part))
        begin_message(w, part);
}

static void finish(const struct writer *w, const struct mox_part *part)
{
    struct buf *out = w->out;
    if (part->kind == MOX_PART_MULTIPART) {
        mox__buf_byte(out, ' ');
        mox__wire_upper(out, part->subtype);
    } else if (mox__part_is_message(part) || mox_part_is_text(part)) {
        mox__buf_byte(out, ' ');
        mox__buf_uint(out, part->lines);
    }
    if (w->extended) {
        mox__buf_byte(out, ' ');
        if (part->kind == MOX_PART_MULTIPART)
            put_params(out, type_params(part), NULL);
        else
            mox__wire_value(out, part->fields[MOX_FIELD_MD5]);
        put_extensions(out, part);
    }
    mox__buf_byte(out, ')');
}

static void put_tree(const struct writer *w, const struct mox_part *root)
{
    const struct mox_part *part = root;
    for (;;) {
        begin(w, part);
        if (part->children != NULL) {
            part = part->children;
            continue;
        }
        finish(w, part);
        while (part != root && part->next == NULL) {
            part = part->parent;
            finish(w, part);
        }
        if (part == root)
            return;
        part = part->next;
    }
}

void mox__message_body(const struct mox_message *m, struct buf *out)
{
    put_tree(&(struct writer){out, mox_message_content(m), false}, mox_message_root(m));
}

void mox__message_bodystructure(const struct mox_message *m, struct buf *out)
{
    put_tree(&(struct writer){out, mox_message_content(m), true}, mox_message_root(m));
}
