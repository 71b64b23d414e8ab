/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_FIELD_H
#define CONFIG_FIELD_H

#include <mox/config.h>

#include "base/arena.h"
#include "base/buf.h"
#include "config/sconf.h"

/* The fields of a config file as data. One row per field drives reading into C structs, defaults,
 * checks, writing and the documentation: a new field is a member of its struct and a row. */

enum value_kind {
    VALUE_SCALAR,
    VALUE_STRUCT,   /* the struct itself */
    VALUE_OPTIONAL, /* a pointer to the struct; NULL when it is absent */
    VALUE_LIST,     /* struct { T *items; size_t count; } */
    VALUE_MAP       /* the same, sorted by key, which is T's first member */
};

struct bind;

/* Parses all of `text` into *out. A failure is a text for a person: what is wrong and what would be
 * right. NULL when it is fine. */
typedef const char *scalar_parse(struct bind *b, struct mox_slice text, void *out);
/* Looks at one value that was read, and reports with mox__bind_wrong(). */
typedef void value_check(struct bind *b, const struct sconf_node *node, void *value);

struct value_type {
    enum value_kind kind;
    size_t size; /* of the C value */

    /* scalars */
    scalar_parse *parse;
    void (*format)(struct buf *out, const void *value); /* must parse again */
    const char *zero;                                   /* the zero value, formatted */

    /* structs */
    const struct field *fields;
    size_t field_count;
    value_check *check; /* or NULL: what several fields have to do with each other */

    /* optional structs, lists and maps */
    const struct value_type *element;
    /* Lists and maps: the size of an item. Maps: an item begins with its key, a const char *, and
     * has its value at `value_at`: 0 when the element is a struct that has the key as a member. */
    size_t item_size, value_at;
};

struct field {
    const char *name;
    const struct value_type *type;
    size_t offset; /* in the enclosing struct */
    bool required;
    const char *preset; /* scalars: the default, as format() writes it, or NULL for the zero value */
    /* The zero value, written out, means the default too: a port of 0. */
    bool zero_is_preset;
    value_check *check; /* or NULL */
    const char *doc;    /* plain text; a preface before "\n\n\n" is about the whole file */
};

/* Reading: from a tree to a struct. Goes on after a mistake, so that all are reported. */
struct bind {
    const struct sconf *tree;
    struct arena *arena; /* owns what is read */
    struct mox_config_errors *errors;
    bool no_memory;
    bool failed; /* something was reported */
};

/* Fills *out, whose type is a VALUE_STRUCT. MOX_OK, MOX_ESYNTAX when something was reported,
 * MOX_ENOMEM. */
MOX_MUST_USE int mox__bind(struct bind *b, const struct value_type *type, void *out);
/* Reports `<path>:<line>: …`. */
void mox__bind_wrong(struct bind *b, unsigned line, const char *format, ...) MOX_PRINTF(3, 4);
/* The line of the field `key` of a struct's node, or of the node when it has none. */
unsigned mox__bind_line(const struct sconf_node *node, const char *key);
/* The line of an item of a list's node. */
unsigned mox__bind_item_line(const struct sconf_node *list, size_t index);
/* Sets every field to its default. Nothing is allocated. */
void mox__field_presets(const struct value_type *type, void *out);

enum emit_mode {
    EMIT_PLAIN,   /* what differs from the defaults */
    EMIT_DOCS,    /* the same, each field with its documentation above */
    /* Every field, with documentation. Values are zero, but where that does not stand for the default;
     * `value` is not looked at. */
    EMIT_DESCRIBE
};

/* Writes a struct as a file. MOX_EINVAL with a text when a value cannot be said in the format. */
MOX_MUST_USE int mox__emit(struct buf *out, const struct value_type *type, const void *value,
                           enum emit_mode mode, struct mox_error *err);

/* The scalars; their C types stand behind. */
extern const struct value_type mox__type_string;   /* const char *, never NULL */
extern const struct value_type mox__type_bool;     /* bool */
extern const struct value_type mox__type_int64;    /* int64_t */
extern const struct value_type mox__type_uint32;   /* uint32_t */
extern const struct value_type mox__type_port;     /* uint16_t */
extern const struct value_type mox__type_float;    /* double */
extern const struct value_type mox__type_duration; /* int64_t, microseconds */
extern const struct value_type mox__type_bytes;    /* struct mox_slice, base64 in the file */
extern const struct value_type mox__type_level;    /* enum mox_log_level */
extern const struct value_type mox__type_strings;  /* list of const char * */

#define LIST_OF(element_type, c_item)                                                              \
    {.kind = VALUE_LIST, .size = sizeof(struct array), .element = &(element_type),                 \
     .item_size = sizeof(c_item)}
#define MAP_OF(element_type, c_item, value)                                                        \
    {.kind = VALUE_MAP, .size = sizeof(struct array), .element = &(element_type),                  \
     .item_size = sizeof(c_item), .value_at = (value)}
#define OPTIONAL_OF(struct_type)                                                                   \
    {.kind = VALUE_OPTIONAL, .size = sizeof(void *), .element = &(struct_type)}
#define STRUCT_TYPE(c_type, rows, checker)                                                         \
    {.kind = VALUE_STRUCT, .size = sizeof(c_type), .fields = (rows),                               \
     .field_count = sizeof(rows) / sizeof((rows)[0]), .check = (checker)}

/* The C form of a list or a map. Copied in and out, since the element types differ. */
struct array {
    void *items;
    size_t count;
};

#endif
