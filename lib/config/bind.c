/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "config/errors.h"
#include "config/field.h"

void mox__bind_wrong(struct bind *b, unsigned line, const char *format, ...)
{
    char text[sizeof(struct mox_error)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    b->failed = true;
    if (mox__config_error(b->errors, "%s:%u: %s", b->tree->path, line, text) < 0)
        b->no_memory = true;
}

unsigned mox__bind_line(const struct sconf_node *node, const char *key)
{
    const struct sconf_node *child = mox__sconf_find(node, key);
    return child != NULL ? child->line : node->line;
}

unsigned mox__bind_item_line(const struct sconf_node *list, size_t index)
{
    const struct sconf_node *n = list->first;
    while (index-- > 0 && n != NULL)
        n = n->next;
    return n == NULL ? list->line : n->line;
}

static void preset(const struct field *f, void *out)
{
    const char *text = f->preset != NULL ? f->preset : f->type->zero;
    if (f->type == &mox__type_string) { /* constant, so nothing is to be copied */
        *(const char **)out = text;
    } else if (f->type->kind == VALUE_SCALAR && *text != '\0') {
        const char *failure = f->type->parse(NULL, slice_of(text), out);
        assert(failure == NULL);
        (void)failure;
    } else if (f->type->kind == VALUE_STRUCT) {
        mox__field_presets(f->type, out);
    }
}

void mox__field_presets(const struct value_type *type, void *out)
{
    assert(type->kind == VALUE_STRUCT);
    memset(out, 0, type->size);
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].type->kind <= VALUE_STRUCT)
            preset(&type->fields[i], (uint8_t *)out + type->fields[i].offset);
}

/* Whether the entry has the form of its type; only then may its check look at it. */
static bool bind_value(struct bind *b, const struct sconf_node *n, const struct value_type *type,
                       void *out);

/* The name by which a message calls the entry. */
static const char *name_of(const struct sconf_node *n, char out[SCONF_QUOTED_MAX])
{
    if (n->parent == NULL)
        return "the file";
    return n->parent->is_list ? "list item" : mox__sconf_quote(n->key, out);
}

/* Whether the entry has lines below it, of the right form. An empty one says so with "nil". */
static bool is_composite(struct bind *b, const struct sconf_node *n, bool list)
{
    char name[SCONF_QUOTED_MAX], text[SCONF_QUOTED_MAX];
    if (n->value.len > 0)
        mox__bind_wrong(b, n->line, "expected indent: %s has a value on its line, %s; write what "
                        "belongs to it on lines of its own below, one tab deeper",
                        name_of(n, name), mox__sconf_quote(n->value, text));
    else if (n->first == NULL && n->parent != NULL)
        mox__bind_wrong(b, n->after, "expected indent: %s (line %u) needs at least one line below "
                        "it, one tab deeper", name_of(n, name), n->line);
    else if (n->is_list && !list)
        mox__bind_wrong(b, n->first->line, "%s takes \"Key: value\" lines, not list items",
                        name_of(n, name));
    else if (!n->is_list && list)
        mox__bind_wrong(b, n->first->line, "%s takes list items: lines with \"- value\"",
                        name_of(n, name));
    else
        return true;
    return false;
}

static bool bind_scalar(struct bind *b, const struct sconf_node *n, const struct value_type *type,
                        void *out)
{
    char name[SCONF_QUOTED_MAX], text[SCONF_QUOTED_MAX];
    if (n->first != NULL) {
        mox__bind_wrong(b, n->first->line, "unexpected indentation: the value of %s stands on its "
                        "own line, behind a space", name_of(n, name));
        return false;
    }
    const char *failure = type->parse(b, n->value, out);
    if (failure != NULL)
        mox__bind_wrong(b, n->line, "%s: bad value %s: %s", name_of(n, name),
                        mox__sconf_quote(n->value, text), failure);
    return failure == NULL;
}

static const struct field *find_field(const struct value_type *type, struct mox_slice name)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (mox__slice_is(name, type->fields[i].name))
            return &type->fields[i];
    return NULL;
}

static void unknown_field(struct bind *b, const struct sconf_node *n, const struct value_type *type)
{
    char key[SCONF_QUOTED_MAX], known[400] = "";
    struct mox_slice trimmed = mox__slice_trim(n->key);
    if (trimmed.len != n->key.len && find_field(type, trimmed) != NULL) {
        mox__bind_wrong(b, n->line, "unknown field %s; remove the white space around the name",
                        mox__sconf_quote(n->key, key));
        return;
    }
    size_t len = 0;
    for (size_t i = 0; i < type->field_count; i++) {
        const char *name = type->fields[i].name;
        if (mox__slice_is_nocase(trimmed, name)) {
            mox__bind_wrong(b, n->line, "unknown field %s; did you mean \"%s\"?",
                            mox__sconf_quote(n->key, key), name);
            return;
        }
        if (len + strlen(name) + 3 < sizeof known)
            len += (size_t)sprintf(known + len, "%s%s", i > 0 ? ", " : "", name);
    }
    mox__bind_wrong(b, n->line, "unknown field %s; the fields here are %s",
                    mox__sconf_quote(n->key, key), known);
}

static bool is_zero(const void *value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const uint8_t *)value)[i] != 0)
            return false;
    return true;
}

static void bind_field(struct bind *b, const struct sconf_node *n, const struct field *f,
                       void *value)
{
    if (!bind_value(b, n, f->type, value))
        return;
    if (f->zero_is_preset && is_zero(value, f->type->size))
        preset(f, value);
    if (f->check != NULL)
        f->check(b, n, value);
}

static void bind_struct(struct bind *b, const struct sconf_node *n, const struct value_type *type,
                        void *out)
{
    uint64_t seen = 0;
    assert(type->field_count <= 64);
    for (const struct sconf_node *child = n->first; child != NULL; child = child->next) {
        const struct field *f = find_field(type, child->key);
        if (f == NULL) {
            unknown_field(b, child, type);
            continue;
        }
        seen |= UINT64_C(1) << (f - type->fields);
        bind_field(b, child, f, (uint8_t *)out + f->offset);
    }
    for (size_t i = 0; i < type->field_count; i++) {
        char name[SCONF_QUOTED_MAX];
        if (type->fields[i].required && (seen >> i & 1) == 0)
            mox__bind_wrong(b, mox__sconf_last_line(b->tree, n),
                            "missing required field \"%s\" of %s; add it", type->fields[i].name,
                            name_of(n, name));
    }
    if (type->check != NULL)
        type->check(b, n, out);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool take_key(struct bind *b, const struct sconf_node *n, void *item)
{
    const char *key = mox__arena_strndup(b->arena, n->key.data, n->key.len);
    b->no_memory = b->no_memory || key == NULL;
    memcpy(item, &key, sizeof key);
    return key != NULL;
}

/* Lists and maps. */
static void bind_items(struct bind *b, const struct sconf_node *n, const struct value_type *type,
                       void *out)
{
    bool map = type->kind == VALUE_MAP;
    struct array array = {0};
    for (const struct sconf_node *child = n->first; child != NULL; child = child->next)
        array.count++;
    uint8_t *item = mox__arena_alloc(b->arena, array.count, type->item_size);
    array.items = item;
    if (item == NULL) {
        b->no_memory = true;
        return;
    }
    for (const struct sconf_node *child = n->first; child != NULL; child = child->next) {
        void *value = item + type->value_at;
        if (type->element->kind == VALUE_STRUCT)
            mox__field_presets(type->element, value);
        else if (type->element == &mox__type_string)
            *(const char **)value = "";
        if (map && !take_key(b, child, item))
            return;
        (void)bind_value(b, child, type->element, value);
        item += type->item_size;
    }
    if (map && array.count > 1)
        qsort(array.items, array.count, type->item_size, by_key);
    memcpy(out, &array, sizeof array);
}

static bool bind_value(struct bind *b, const struct sconf_node *n, const struct value_type *type,
                       void *out)
{
    bool nil = n->first == NULL && mox__slice_is(n->value, "nil");
    if (b->no_memory)
        return false;
    if (type->kind == VALUE_OPTIONAL) {
        void *value = mox__arena_alloc(b->arena, 1, type->element->size);
        memcpy(out, &value, sizeof value);
        if (value == NULL) {
            b->no_memory = true;
            return false;
        }
        type = type->element;
        out = value;
        mox__field_presets(type, value);
    }
    if (type->kind == VALUE_SCALAR)
        return bind_scalar(b, n, type, out);
    if (!nil && !is_composite(b, n, type->kind == VALUE_LIST))
        return false;
    if (type->kind == VALUE_STRUCT)
        bind_struct(b, n, type, out);
    else if (!nil)
        bind_items(b, n, type, out);
    return true;
}

int mox__bind(struct bind *b, const struct value_type *type, void *out)
{
    mox__field_presets(type, out);
    bind_struct(b, &b->tree->root, type, out);
    if (b->no_memory)
        return MOX_ENOMEM;
    return b->failed ? MOX_ESYNTAX : MOX_OK;
}
