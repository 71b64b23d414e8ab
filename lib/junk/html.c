/* SPDX-License-Identifier: MIT */
#include "junk/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void mox__html_init(struct html *h, struct tokenizer *out)
{
    memset(h, 0, sizeof *h);
    h->out = out;
}

/* ---- elements ---- */

enum element {
    INLINE = 1, /* words go on across it */
    EMPTY = 2,  /* has no content, so it does not open */
    RAW = 4     /* has no tags within */
};

/* In the order of their bytes. All others are boxes with content. */
static const struct known_element {
    char name[HTML_NAME_MAX];
    unsigned is;
} elements[] = {
    {"a", INLINE},           {"abbr", INLINE},   {"acronym", INLINE}, {"area", EMPTY},
    {"b", INLINE},           {"base", EMPTY},    {"basefont", EMPTY}, {"bdi", INLINE},
    {"bdo", INLINE},         {"bgsound", EMPTY}, {"big", INLINE},     {"br", EMPTY},
    {"cite", INLINE},        {"code", INLINE},   {"col", EMPTY},      {"data", INLINE},
    {"del", INLINE},         {"dfn", INLINE},    {"em", INLINE},      {"embed", EMPTY},
    {"font", INLINE},        {"frame", EMPTY},   {"hr", EMPTY},       {"i", INLINE},
    {"img", EMPTY},          {"input", EMPTY},   {"ins", INLINE},     {"kbd", INLINE},
    {"keygen", EMPTY},       {"label", INLINE},  {"link", EMPTY},     {"mark", INLINE},
    {"meta", EMPTY},         {"nobr", INLINE},   {"param", EMPTY},    {"q", INLINE},
    {"s", INLINE},           {"samp", INLINE},   {"script", RAW},     {"small", INLINE},
    {"source", EMPTY},       {"span", INLINE},   {"strike", INLINE},  {"strong", INLINE},
    {"style", RAW},          {"sub", INLINE},    {"sup", INLINE},     {"time", INLINE},
    {"track", EMPTY},        {"tt", INLINE},     {"u", INLINE},       {"var", INLINE},
    {"wbr", INLINE | EMPTY},
};

static int compare(const void *name, const void *entry)
{
    const char *a = name, *b = ((const struct known_element *)entry)->name;
    return a[0] != b[0] ? (uint8_t)a[0] - (uint8_t)b[0] : strcmp(a, b);
}

/* A look at the first letter, before a call. */
static bool is(const char *name, const char *other)
{
    return name[0] == other[0] && strcmp(name, other) == 0;
}

static unsigned element(const char *name)
{
    const struct known_element *found =
        bsearch(name, elements, sizeof elements / sizeof elements[0], sizeof elements[0], compare);
    return found == NULL ? 0 : found->is;
}

static bool is_hidden(const struct html *h)
{
    return h->depth > 0 && h->depth <= HTML_DEPTH_MAX && h->is_svg[h->depth - 1];
}

static void open_element(struct html *h)
{
    if (h->depth < HTML_DEPTH_MAX)
        h->is_svg[h->depth] = is(h->name, "svg");
    h->depth++;
}

/* Whatever its name: mail has all kinds of wrong nesting, and only svg depends on it. */
static void close_element(struct html *h)
{
    if (h->depth > 0)
        h->depth--;
}

/* At the ">". */
static void end_tag(struct html *h)
{
    const unsigned kind = element(h->name);
    h->state = HTML_TEXT;
    if ((kind & INLINE) == 0)
        mox__tokenizer_break(h->out);
    if (h->end_tag) {
        if ((kind & (EMPTY | RAW)) == 0)
            close_element(h);
        return;
    }
    if ((kind & RAW) != 0 && !h->self_closing) {
        h->state = HTML_RAW;
        h->raw_matched = 0;
    } else if ((kind & EMPTY) == 0 && !h->self_closing) {
        open_element(h);
    }
}

/* ---- text ---- */

static void put(struct html *h, struct mox_slice text)
{
    if (h->behind_entity == HTML_VALUE ? h->is_alt : !is_hidden(h))
        mox__tokenizer_feed(h->out, text);
}

static void put_rune(struct html *h, uint32_t rune)
{
    uint8_t utf8[4];
    size_t len = 0;
    if (rune < 0x80) {
        utf8[len++] = (uint8_t)rune;
    } else if (rune < 0x800) {
        utf8[len++] = (uint8_t)(0xc0 | rune >> 6);
    } else if (rune < 0x10000) {
        utf8[len++] = (uint8_t)(0xe0 | rune >> 12);
        utf8[len++] = (uint8_t)(0x80 | (rune >> 6 & 0x3f));
    } else {
        utf8[len++] = (uint8_t)(0xf0 | rune >> 18);
        utf8[len++] = (uint8_t)(0x80 | (rune >> 12 & 0x3f));
        utf8[len++] = (uint8_t)(0x80 | (rune >> 6 & 0x3f));
    }
    if (rune >= 0x80)
        utf8[len++] = (uint8_t)(0x80 | (rune & 0x3f));
    put(h, slice(utf8, len));
}

static void begin_entity(struct html *h)
{
    h->behind_entity = h->state;
    h->state = HTML_ENTITY;
    h->entity[0] = '&';
    h->entity_len = 1;
}

/* What is none is text. */
static void end_entity(struct html *h)
{
    const uint32_t rune = mox__html_entity(slice(h->entity + 1, h->entity_len - 1));
    if (rune != 0)
        put_rune(h, rune);
    else
        put(h, slice(h->entity, h->entity_len));
    h->state = h->behind_entity;
}

/* ---- one byte in each state: whether it is done with ---- */

static bool in_entity(struct html *h, uint8_t c)
{
    const bool goes_on = is_alpha(c) || is_digit(c) || (c == '#' && h->entity_len == 1);
    if (goes_on && h->entity_len <= ENTITY_NAME_MAX) {
        h->entity[h->entity_len++] = c;
        return true;
    }
    end_entity(h);
    return c == ';';
}

static void begin_name(struct html *h, bool end_tag)
{
    h->state = HTML_NAME;
    h->end_tag = end_tag;
    h->self_closing = false;
    h->name_len = 0;
    h->name[0] = '\0';
}

static bool in_tag(struct html *h, uint8_t c)
{
    if (is_alpha(c)) {
        begin_name(h, false);
        return false;
    }
    if (c == '/')
        begin_name(h, true);
    else if (c == '!')
        h->state = HTML_MARKUP;
    else if (c == '?')
        h->state = HTML_BOGUS;
    else
        h->state = HTML_TEXT; /* "a < b" */
    h->dashes = 0;
    return h->state != HTML_TEXT;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static void append(char *name, size_t *len, uint8_t c)
{
    if (*len < HTML_NAME_MAX)
        name[(*len)++] = (char)to_lower(c);
    name[*len] = '\0';
}

static bool in_name(struct html *h, uint8_t c)
{
    if (c == '>' || c == '/' || is_space(c)) {
        h->state = HTML_SPACE;
        return false;
    }
    append(h->name, &h->name_len, c);
    return true;
}

static void begin_attribute(struct html *h)
{
    h->state = HTML_ATTRIBUTE;
    h->attribute_ended = false;
    h->attribute_len = 0;
    h->attribute[0] = '\0';
}

static bool in_space(struct html *h, uint8_t c)
{
    if (c == '>') {
        end_tag(h);
    } else if (c == '/' || is_space(c)) {
        h->self_closing = c == '/';
    } else {
        h->self_closing = false;
        begin_attribute(h);
        return false;
    }
    return true;
}

static bool in_attribute(struct html *h, uint8_t c)
{
    if (c == '=') {
        h->state = HTML_BEFORE_VALUE;
    } else if (c == '>' || c == '/') {
        h->state = HTML_SPACE;
        return false;
    } else if (is_space(c)) { /* there may be some in front of "=" */
        h->attribute_ended = true;
    } else {
        if (h->attribute_ended)
            begin_attribute(h);
        append(h->attribute, &h->attribute_len, c);
    }
    return true;
}

static bool in_before_value(struct html *h, uint8_t c)
{
    if (is_space(c))
        return true;
    if (c == '>') {
        h->state = HTML_SPACE;
        return false;
    }
    h->quote = c == '"' || c == '\'' ? c : 0;
    h->is_alt = is(h->attribute, "alt") && is(h->name, "img");
    h->is_link = is(h->attribute, "href") || is(h->attribute, "src");
    h->state = HTML_VALUE;
    if (h->is_alt)
        mox__tokenizer_break(h->out);
    else if (h->is_link && h->out->grams != NULL)
        mox__gram_reader_token_end(h->out->grams, false);
    return h->quote != 0;
}

static bool ends_value(const struct html *h, uint8_t c)
{
    return h->quote != 0 ? c == h->quote : c == '>' || is_space(c);
}

static bool in_value(struct html *h, uint8_t c)
{
    if (!ends_value(h, c)) { /* as value_run() stops nowhere else */
        begin_entity(h);
        return true;
    }
    if (h->is_alt)
        mox__tokenizer_break(h->out);
    if (h->is_link && h->out->grams != NULL)
        mox__gram_reader_token_end(h->out->grams, true);
    h->state = HTML_SPACE;
    return h->quote != 0;
}

static bool in_markup(struct html *h, uint8_t c)
{
    if (c != '-') {
        h->state = HTML_BOGUS;
        return false;
    }
    if (++h->dashes == 2)
        h->state = HTML_COMMENT;
    return true;
}

static bool in_comment(struct html *h, uint8_t c)
{
    if (c == '>' && h->dashes >= 2)
        h->state = HTML_TEXT;
    if (c != '-')
        h->dashes = 0;
    else if (h->dashes < 2)
        h->dashes++;
    return true;
}

static bool in_bogus(struct html *h, uint8_t c)
{
    if (c == '>')
        h->state = HTML_TEXT;
    return true;
}

static bool in_raw(struct html *h, uint8_t c)
{
    const size_t at = h->raw_matched;
    const char expected = at == 0 ? '<' : at == 1 ? '/' : h->name[at - 2];
    if (expected == '\0' && (c == '>' || c == '/' || is_space(c))) {
        h->end_tag = true;
        h->self_closing = false;
        h->state = HTML_SPACE;
        return false;
    }
    const bool goes_on = expected != '\0' && (char)to_lower(c) == expected; /* c may be a NUL */
    h->raw_matched = goes_on ? at + 1 : c == '<';
    return true;
}

static bool in_text(struct html *h, uint8_t c)
{
    if (c == '<')
        h->state = HTML_TAG;
    else
        begin_entity(h);
    return true;
}

static bool (*const states[])(struct html *h, uint8_t c) = {
    [HTML_TEXT] = in_text,
    [HTML_ENTITY] = in_entity,
    [HTML_TAG] = in_tag,
    [HTML_NAME] = in_name,
    [HTML_SPACE] = in_space,
    [HTML_ATTRIBUTE] = in_attribute,
    [HTML_BEFORE_VALUE] = in_before_value,
    [HTML_VALUE] = in_value,
    [HTML_MARKUP] = in_markup,
    [HTML_COMMENT] = in_comment,
    [HTML_BOGUS] = in_bogus,
    [HTML_RAW] = in_raw,
};

/* Up to the next tag or entity. Two calls of memchr() would go to the end of the text for each byte of "&&&&". */
static size_t text_run(struct mox_slice s)
{
    size_t len = 0;
    while (len < s.len && s.data[len] != '<' && s.data[len] != '&')
        len++;
    return len;
}

/* Up to the end of a value, or to an entity where it matters. */
static size_t value_run(const struct html *h, struct mox_slice s)
{
    size_t len = 0;
    while (len < s.len && !ends_value(h, s.data[len]) && !(h->is_alt && s.data[len] == '&'))
        len++;
    return len;
}

/* What can be taken at once; characters stay whole. */
static size_t take_run(struct html *h, struct mox_slice s)
{
    size_t len = 0;
    bool counts = false;
    if (h->state == HTML_TEXT) {
        len = text_run(s);
        counts = !is_hidden(h);
    } else if (h->state == HTML_VALUE) {
        len = value_run(h, s);
        counts = h->is_alt;
        if (h->is_link && h->out->grams != NULL)
            mox__gram_reader_tokens(h->out->grams, slice(s.data, len), true);
    }
    if (counts)
        mox__tokenizer_feed(h->out, slice(s.data, len));
    return len;
}

void mox__html_feed(struct html *h, struct mox_slice text)
{
    size_t at = 0;
    while (at < text.len) {
        at += take_run(h, slice_from(text, at));
        if (at < text.len && states[h->state](h, text.data[at]))
            at++;
    }
}

void mox__html_finish(struct html *h)
{
    if (h->state == HTML_ENTITY)
        end_entity(h);
    mox__tokenizer_break(h->out);
}
