/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/text.h"
#include "config/field.h"

#define COLUMNS 80
#define TAB_COLUMNS 8

struct emit {
    struct buf *out;
    enum emit_mode mode;
    struct mox_error *err;
    int rc; /* the first failure */
};

static void emit_value(struct emit *e, const struct value_type *type, const void *value,
                       const char *name, unsigned depth, bool nil_ok);

static void indent(struct emit *e, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        mox__buf_byte(e->out, '\t');
}

static const void *at(const void *value, size_t offset)
{
    return value == NULL ? NULL : (const uint8_t *)value + offset;
}

/* One line of the comment: as many words of *text as fit, at least one. */
static void comment_line(struct emit *e, struct mox_slice *text, unsigned depth)
{
    size_t used = TAB_COLUMNS * depth + 1;
    indent(e, depth);
    mox__buf_byte(e->out, '#');
    for (bool first = true; text->len > 0; first = false) {
        const uint8_t *space = memchr(text->data, ' ', text->len);
        size_t len = space == NULL ? text->len : (size_t)(space - text->data);
        if (!first && used + 1 + len > COLUMNS)
            break;
        mox__buf_byte(e->out, ' ');
        mox__buf_append(e->out, text->data, len);
        used += 1 + len;
        *text = slice_from(*text, len + (space != NULL));
    }
    mox__buf_byte(e->out, '\n');
}

/* Paragraphs are separated by one empty line of the text. */
static void comment(struct emit *e, struct mox_slice text, unsigned depth)
{
    while (text.len > 0) {
        const uint8_t *lf = memchr(text.data, '\n', text.len);
        struct mox_slice line = slice(text.data, lf == NULL ? text.len : (size_t)(lf - text.data));
        text = slice_from(text, line.len + (lf != NULL));
        do
            comment_line(e, &line, depth);
        while (line.len > 0);
    }
}

static void emit_docs(struct emit *e, const struct field *f, unsigned depth)
{
    if (e->out->len > 0)
        mox__buf_byte(e->out, '\n');
    const char *text = f->doc, *preface_end = strstr(f->doc, "\n\n\n");
    if (preface_end != NULL) {
        comment(e, slice(text, (size_t)(preface_end - text)), depth);
        mox__buf_text(e->out, "\n\n");
        text = preface_end + 3;
    }
    char full[2048];
    size_t len = strlen(text);
    const char *suffix = f->required ? "" : " (optional)";
    if (len + strlen(suffix) >= sizeof full)
        len = sizeof full - strlen(suffix) - 1;
    memcpy(full, text, len);
    memcpy(full + len, suffix, strlen(suffix) + 1);
    comment(e, slice_of(full), depth);
}

static bool says_preset(const struct field *f, struct mox_slice text)
{
    return mox__slice_is(text, f->preset != NULL ? f->preset : f->type->zero) ||
           (f->zero_is_preset && mox__slice_is(text, f->type->zero));
}

static bool is_preset(struct emit *e, const struct field *f, const void *value)
{
    if (f->type->kind == VALUE_SCALAR) {
        struct buf text;
        mox__buf_init(&text, e->out->env, SCONF_MAX_BYTES);
        f->type->format(&text, value);
        bool same = !text.failed && says_preset(f, slice(text.data, text.len));
        mox__buf_free(&text);
        return same;
    }
    if (f->type->kind == VALUE_OPTIONAL) {
        const void *pointer;
        memcpy(&pointer, value, sizeof pointer);
        return pointer == NULL;
    }
    if (f->type->kind != VALUE_STRUCT) {
        struct array array;
        memcpy(&array, value, sizeof array);
        return array.count == 0;
    }
    for (size_t i = 0; i < f->type->field_count; i++)
        if (!is_preset(e, &f->type->fields[i], at(value, f->type->fields[i].offset)))
            return false;
    return true;
}

static void emit_field(struct emit *e, const struct field *f, const void *value, unsigned depth)
{
    if (e->mode != EMIT_PLAIN)
        emit_docs(e, f, depth);
    indent(e, depth);
    mox__buf_text(e->out, f->name);
    mox__buf_byte(e->out, ':');
    if (e->mode == EMIT_DESCRIBE && f->preset != NULL && !f->zero_is_preset)
        mox__buf_printf(e->out, " %s\n", f->preset); /* 0 would be something else */
    else
        emit_value(e, f->type, value, f->name, depth, f->type->kind == VALUE_OPTIONAL);
}

static void emit_fields(struct emit *e, const struct value_type *type, const void *value,
                        unsigned depth)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct field *f = &type->fields[i];
        const void *v = at(value, f->offset);
        if (e->mode == EMIT_DESCRIBE || f->required || !is_preset(e, f, v))
            emit_field(e, f, v, depth);
    }
}

static void emit_scalar(struct emit *e, const struct value_type *type, const void *value,
                        const char *name)
{
    size_t start = e->out->len;
    mox__buf_byte(e->out, ' ');
    if (value == NULL)
        mox__buf_text(e->out, type->zero);
    else
        type->format(e->out, value);
    struct mox_slice text = slice(e->out->data + start, e->out->len - start);
    if (e->out->failed)
        return;
    if (memchr(text.data, '\n', text.len) != NULL || memchr(text.data, '\r', text.len) != NULL)
        e->rc = mox__fail(e->err, MOX_EINVAL, "write %s: the value has a line break, which the "
                          "format of config files cannot say; remove it", name);
    if (text.len == 1)
        e->out->len = start; /* no space at the end of the line */
    mox__buf_byte(e->out, '\n');
}

/* A struct without any line is "nil", or, where that would not be read by others, its first
 * field. */
static void emit_struct(struct emit *e, const struct value_type *type, const void *value,
                        unsigned depth, bool nil_ok)
{
    size_t start = e->out->len;
    mox__buf_byte(e->out, '\n');
    emit_fields(e, type, value, depth + 1);
    if (e->out->failed || e->out->len > start + 1)
        return;
    if (nil_ok) {
        e->out->len = start;
        mox__buf_text(e->out, " nil\n");
    } else {
        emit_field(e, &type->fields[0], at(value, type->fields[0].offset), depth + 1);
    }
}

static bool key_can_be_said(const char *key)
{
    return *key != '\0' && strpbrk(key, ":\r\n") == NULL && strchr(" \t#", *key) == NULL &&
           strncmp(key, "- ", 2) != 0;
}

static void emit_items(struct emit *e, const struct value_type *type, const struct array *array,
                       unsigned depth)
{
    bool map = type->kind == VALUE_MAP, sample = e->mode == EMIT_DESCRIBE;
    for (size_t i = 0; i < (sample ? 1 : array->count) && e->rc == MOX_OK; i++) {
        const char *key = map ? "x" : "list item";
        const void *item = sample ? NULL : (const uint8_t *)array->items + i * type->item_size;
        if (map && !sample)
            memcpy(&key, item, sizeof key);
        if (map && !key_can_be_said(key)) {
            e->rc = mox__fail(e->err, MOX_EINVAL, "write config: the key \"%s\" cannot be said in "
                              "the format of config files; use one without colon and line break",
                              key);
            return;
        }
        indent(e, depth + 1);
        mox__buf_text(e->out, map ? key : "-");
        if (map)
            mox__buf_byte(e->out, ':');
        emit_value(e, type->element, at(item, type->value_at), key, depth + 1, map);
    }
}

static void emit_value(struct emit *e, const struct value_type *type, const void *value,
                       const char *name, unsigned depth, bool nil_ok)
{
    struct array array = {.count = e->mode == EMIT_DESCRIBE};
    if (e->rc < 0)
        return;
    switch (type->kind) {
    case VALUE_SCALAR:
        emit_scalar(e, type, value, name);
        return;
    case VALUE_OPTIONAL:
        if (value != NULL)
            memcpy(&value, value, sizeof value);
        emit_struct(e, type->element, value, depth, nil_ok);
        return;
    case VALUE_STRUCT:
        emit_struct(e, type, value, depth, nil_ok);
        return;
    case VALUE_LIST:
    case VALUE_MAP:
        if (value != NULL)
            memcpy(&array, value, sizeof array);
        if (array.count == 0 && type->kind == VALUE_LIST)
            e->rc = mox__fail(e->err, MOX_EINVAL, "write %s: the list is empty; add an item", name);
        mox__buf_text(e->out, array.count == 0 ? " nil\n" : "\n");
        emit_items(e, type, &array, depth);
        return;
    }
}

int mox__emit(struct buf *out, const struct value_type *type, const void *value,
              enum emit_mode mode, struct mox_error *err)
{
    struct emit e = {.out = out, .mode = mode, .err = err};
    emit_fields(&e, type, mode == EMIT_DESCRIBE ? NULL : value, 0);
    if (e.rc == MOX_OK && out->failed)
        return mox__fail(err, MOX_ENOMEM, "write config: out of memory");
    return e.rc;
}
