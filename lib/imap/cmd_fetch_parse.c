/* SPDX-License-Identifier: MIT */
#include "imap/cmd_fetch.h"

#include "base/buf.h"

/* fetch-att (RFC 3501 §9). Names that take a section stand apart from those that do not. */
static const struct fetch_attribute attributes[] = {
    {.name = "UID", .from_view = true},
    {.name = "FLAGS", .from_view = true},
    {.name = "INTERNALDATE", .write = mox__fetch_internaldate},
    {.name = "RFC822.SIZE", .from_view = true, .write = mox__fetch_size},
    {.name = "ENVELOPE", .wants = MOX_FETCH_ENVELOPE, .stream = mox__fetch_envelope},
    {.name = "BODY", .wants = MOX_FETCH_BODY, .stream = mox__fetch_body},
    {.name = "BODYSTRUCTURE", .wants = MOX_FETCH_BODYSTRUCTURE, .stream = mox__fetch_bodystructure},
    {.name = "BODY", .with_section = true, .wants = MOX_FETCH_CONTENT, .seen = true},
    {.name = "BODY.PEEK", .with_section = true, .wants = MOX_FETCH_CONTENT},
    {.name = "RFC822", .wants = MOX_FETCH_CONTENT, .seen = true},
    {.name = "RFC822.HEADER", .wants = MOX_FETCH_CONTENT, .fixed = SECTION_HEADER},
    {.name = "RFC822.TEXT", .wants = MOX_FETCH_CONTENT, .seen = true, .fixed = SECTION_TEXT},
};

/* The first two rows are told in any case or at the end, so they are no items. */
#define ROW_UID_NAME   (&attributes[0])
#define ROW_FLAGS_NAME (&attributes[1])

/* RFC 9051 §6.4.5; they stand alone, without parentheses. */
static const struct {
    const char *name, *text;
} macros[] = {
    {"ALL", "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)"},
    {"FAST", "(FLAGS INTERNALDATE RFC822.SIZE)"},
    {"FULL", "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY)"},
};

/* What a section may end in, behind its part numbers. */
static const struct {
    const char *name;
    enum section_kind kind;
} section_texts[] = {
    {"HEADER", SECTION_HEADER},
    {"HEADER.FIELDS", SECTION_FIELDS},
    {"HEADER.FIELDS.NOT", SECTION_FIELDS_NOT},
    {"TEXT", SECTION_TEXT},
    {"MIME", SECTION_MIME},
};

static bool miss(struct lexer *l, const char *expected)
{
    l->expected = expected;
    return false;
}

static bool no_memory(struct lexer *l)
{
    l->no_memory = true;
    return false;
}

static bool take_byte(struct lexer *l, uint8_t byte, const char *expected)
{
    return mox__lex_byte(l, byte) || miss(l, expected);
}

/* Letters, digits and dots: what names of items and sections consist of. */
static struct mox_slice take_name(struct lexer *l)
{
    const uint8_t *start = l->at;
    while (l->at < l->end && (is_alpha(*l->at) || is_digit(*l->at) || *l->at == '.'))
        l->at++;
    return slice(start, (size_t)(l->at - start));
}

/* How many things the rest can name, as each has a space in front: at least those of a macro. */
static size_t most(const struct lexer *l, size_t max)
{
    size_t count = 8;
    for (const uint8_t *p = l->at; p < l->end && count < max; p++)
        count += *p == ' ';
    return count;
}

/* *(nz-number ".") [nz-number / section-text] */
static bool take_parts(struct lexer *l, struct section *s)
{
    size_t max = 1;
    for (const uint8_t *p = l->at; p < l->end && *p != ']'; p++)
        max += *p == '.';
    uint32_t *parts = arena_new(l->arena, uint32_t, max);
    if (parts == NULL)
        return no_memory(l);
    s->parts = parts;
    while (l->at < l->end && is_digit(*l->at)) {
        uint64_t number = 0;
        if (!mox__lex_number(l, UINT32_MAX, &number) || number == 0)
            return miss(l, "a part number from 1");
        parts[s->part_count++] = (uint32_t)number;
        if (mox__lex_peek(l) == ']')
            return true;
        if (!take_byte(l, '.', "\".\" or \"]\" after a part number"))
            return false;
    }
    return s->part_count == 0 || mox__lex_peek(l) != ']' || miss(l, "a section after \".\"");
}

static bool take_section_text(struct lexer *l, struct section *s)
{
    const uint8_t *start = l->at;
    const struct mox_slice name = take_name(l);
    for (size_t i = 0; i < sizeof section_texts / sizeof section_texts[0]; i++) {
        if (!mox__slice_is_nocase(name, section_texts[i].name))
            continue;
        s->kind = section_texts[i].kind;
        if (s->kind == SECTION_MIME && s->part_count == 0)
            return miss(l, "a part number in front of MIME");
        return true;
    }
    l->at = start;
    return miss(l, "HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT or MIME");
}

/* header-fld-name: what a field can be called (RFC 5322 §2.2). */
static bool is_field_name(struct mox_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] <= ' ' || name.data[i] >= 0x7F || name.data[i] == ':')
            return false;
    }
    return name.len > 0;
}

/* SP "(" header-fld-name *(SP header-fld-name) ")" */
static bool take_fields(struct lexer *l, struct section *s)
{
    struct mox_slice *names = arena_new(l->arena, struct mox_slice, most(l, FETCH_FIELDS_MAX));
    if (names == NULL)
        return no_memory(l);
    if (!mox__lex_space(l) || !mox__lex_byte(l, '('))
        return miss(l, "a list of header fields");
    do {
        if (s->name_count == FETCH_FIELDS_MAX)
            return miss(l, "at most 256 header fields");
        if (!mox__lex_astring(l, &names[s->name_count]) || !is_field_name(names[s->name_count]))
            return miss(l, "the name of a header field");
        s->name_count++;
    } while (mox__lex_space(l));
    s->names = names;
    mox__section_names(s);
    return take_byte(l, ')', "\")\" after the header fields");
}

/* "[" ... "]", from behind the bracket. */
static bool take_section(struct lexer *l, struct section *s)
{
    if (mox__lex_byte(l, ']'))
        return true;
    if (!take_parts(l, s))
        return false;
    if (mox__lex_byte(l, ']'))
        return true;
    if (!take_section_text(l, s))
        return false;
    if ((s->kind == SECTION_FIELDS || s->kind == SECTION_FIELDS_NOT) && !take_fields(l, s))
        return false;
    return take_byte(l, ']', "\"]\" after the section");
}

/* ["<" number "." nz-number ">"] */
static bool take_partial(struct lexer *l, struct fetch_item *item)
{
    if (mox__lex_peek(l) != '<')
        return true;
    item->partial = true;
    return mox__lex_byte(l, '<') && mox__lex_number(l, INT64_MAX, &item->offset) &&
           take_byte(l, '.', "a length after the offset") &&
           mox__lex_number(l, INT64_MAX, &item->length) &&
           (item->length > 0 || miss(l, "a length above 0")) &&
           take_byte(l, '>', "\">\" after the length");
}

/* A field's name in a response: an atom if it is one, else quoted (astring, RFC 9051 §9). */
static void put_field_name(struct buf *out, struct mox_slice name)
{
    bool atom = true;
    for (size_t i = 0; i < name.len; i++)
        atom = atom && memchr("(){%*\"\\]", name.data[i], 8) == NULL;
    if (atom) {
        mox__buf_slice(out, name);
        return;
    }
    mox__buf_byte(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '"' || name.data[i] == '\\')
            mox__buf_byte(out, '\\');
        mox__buf_byte(out, name.data[i]);
    }
    mox__buf_byte(out, '"');
}

static const char *section_text(enum section_kind kind)
{
    for (size_t i = 0; i < sizeof section_texts / sizeof section_texts[0]; i++) {
        if (section_texts[i].kind == kind)
            return section_texts[i].name;
    }
    return "";
}

/* "BODY[1.2.HEADER.FIELDS (From To)]<0>": msg-att-static of RFC 9051 §9. */
static void put_label(struct buf *out, const struct fetch_item *item)
{
    const struct section *s = &item->section;
    mox__buf_text(out, "BODY[");
    for (size_t i = 0; i < s->part_count; i++) {
        if (i > 0)
            mox__buf_byte(out, '.');
        mox__buf_uint(out, s->parts[i]);
    }
    if (s->part_count > 0 && s->kind != SECTION_ALL)
        mox__buf_byte(out, '.');
    mox__buf_text(out, section_text(s->kind));
    for (size_t i = 0; i < s->name_count; i++) {
        mox__buf_text(out, i == 0 ? " (" : " ");
        put_field_name(out, s->names[i]);
    }
    mox__buf_text(out, s->name_count > 0 ? ")]" : "]");
    if (item->partial)
        mox__buf_printf(out, "<%llu>", (unsigned long long)item->offset);
}

static bool make_label(struct lexer *l, struct fetch_item *item)
{
    struct buf label;
    mox__buf_init(&label, l->arena->env, SIZE_MAX);
    put_label(&label, item);
    char *copy = label.failed ? NULL : mox__arena_strndup(l->arena, label.data, label.len);
    item->label = slice(copy, label.len);
    mox__buf_free(&label);
    return copy != NULL || no_memory(l);
}

static const struct fetch_attribute *find_attribute(struct mox_slice name, bool with_section)
{
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        if (attributes[i].with_section == with_section &&
            mox__slice_is_nocase(name, attributes[i].name))
            return &attributes[i];
    }
    return NULL;
}

static bool take_item(struct lexer *l, struct fetch_item *item)
{
    const uint8_t *start = l->at;
    const struct mox_slice name = take_name(l);
    const bool with_section = mox__lex_peek(l) == '[';
    *item = (struct fetch_item){.attribute = find_attribute(name, with_section)};
    if (item->attribute == NULL) {
        l->at = start;
        return miss(l, "a data item of FETCH");
    }
    item->label = slice_of(item->attribute->name);
    item->section.kind = item->attribute->fixed;
    if (!with_section)
        return true;
    return mox__lex_byte(l, '[') && take_section(l, &item->section) && take_partial(l, item) &&
           make_label(l, item);
}

static unsigned wants_of(const struct fetch_item *item)
{
    if (item->attribute->wants != MOX_FETCH_CONTENT)
        return item->attribute->wants;
    if (mox__section_in_header(&item->section))
        return MOX_FETCH_HEADER;
    return MOX_FETCH_CONTENT |
           (mox__section_needs_parts(&item->section) ? MOX_FETCH_STRUCTURE : 0U);
}

static bool add_item(struct fetch_program *p, struct lexer *l)
{
    struct fetch_item item;
    if (p->count == FETCH_ITEMS_MAX)
        return miss(l, "at most 256 data items");
    if (!take_item(l, &item))
        return false;
    const struct fetch_attribute *a = item.attribute;
    p->seen = p->seen || a->seen;
    p->flags = p->flags || a == ROW_FLAGS_NAME;
    p->from_view = p->from_view && a->from_view;
    p->wants |= wants_of(&item);
    if (a != ROW_UID_NAME && a != ROW_FLAGS_NAME)
        p->items[p->count++] = item;
    return true;
}

static bool take_list(struct fetch_program *p, struct lexer *l)
{
    if (!mox__lex_byte(l, '('))
        return add_item(p, l);
    do {
        if (!add_item(p, l))
            return false;
    } while (mox__lex_space(l));
    return take_byte(l, ')', "\")\" after the data items");
}

static bool take_macro(struct fetch_program *p, struct lexer *l)
{
    const struct mox_slice rest = slice(l->at, (size_t)(l->end - l->at));
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
        if (!mox__slice_is_nocase(rest, macros[i].name))
            continue;
        struct lexer text;
        mox__lex_init(&text, slice_of(macros[i].text), l->arena);
        l->at = l->end;
        return take_list(p, &text) || no_memory(l);
    }
    return false;
}

int mox__fetch_parse(struct fetch_program *out, struct lexer *l)
{
    *out = (struct fetch_program){.from_view = true};
    out->items = arena_new(l->arena, struct fetch_item, most(l, FETCH_ITEMS_MAX));
    if (out->items == NULL)
        return MOX_ENOMEM;
    if (take_macro(out, l) || (!l->no_memory && take_list(out, l) && mox__lex_end(l)))
        return MOX_OK;
    return mox__lex_failure(l);
}
