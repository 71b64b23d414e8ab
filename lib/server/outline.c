/* SPDX-License-Identifier: MIT */
#include "server/outline.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/text.h"

enum container { GROUP, LIST, ENTRY };

/* What stands in front of a value or a container. */
static void put_indent(struct outline *o)
{
    for (unsigned i = o->json ? 0 : 1; i < o->depth; i++)
        mox__buf_text(o->out, "  ");
}

static void put_key_json(struct outline *o, const char *key)
{
    mox__buf_text(o->out, o->has_values[o->depth] ? ",\n" : "\n");
    put_indent(o);
    if (key != NULL)
        mox__buf_printf(o->out, "\"%s\": ", key);
}

static void put_key_text(struct outline *o, const char *key)
{
    bool first = !o->has_values[o->depth];
    if (!o->in_entry) {
        put_indent(o);
        mox__buf_printf(o->out, key == NULL ? "- " : "%s: ", key);
    } else if (!first) {
        mox__buf_printf(o->out, ", %s ", key);
    }
}

static void put_key(struct outline *o, const char *key)
{
    if (o->json)
        put_key_json(o, key);
    else
        put_key_text(o, key);
    o->has_values[o->depth] = true;
}

static void end_value(struct outline *o)
{
    if (!o->json && !o->in_entry)
        mox__buf_byte(o->out, '\n');
}

/* ---- containers ---- */

/* Which brackets are open follows from the nesting: lists hold entries, everything else are groups. */
static void open_container(struct outline *o, const char *key, enum container what)
{
    if (o->json) {
        put_key_json(o, key);
        mox__buf_byte(o->out, what == LIST ? '[' : '{');
    } else if (what == ENTRY) {
        put_indent(o);
        mox__buf_text(o->out, "- ");
    } else {
        put_indent(o);
        mox__buf_printf(o->out, "%s:\n", key);
    }
    o->has_values[o->depth] = true;
    o->depth++;
    o->has_values[o->depth] = false;
    o->is_list[o->depth] = what == LIST;
    o->in_entry = what == ENTRY;
}

void mox__outline_begin(struct outline *o, struct buf *out, bool json)
{
    *o = (struct outline){.out = out, .json = json, .depth = 1};
    if (json)
        mox__buf_byte(out, '{');
}

void mox__outline_end(struct outline *o)
{
    if (o->json)
        mox__buf_text(o->out, "\n}\n");
}

void mox__outline_group(struct outline *o, const char *key)
{
    open_container(o, key, GROUP);
}

void mox__outline_list(struct outline *o, const char *key)
{
    open_container(o, key, LIST);
}

void mox__outline_entry(struct outline *o)
{
    open_container(o, NULL, ENTRY);
}

void mox__outline_close(struct outline *o)
{
    bool empty = !o->has_values[o->depth], list = o->is_list[o->depth];
    o->depth--;
    if (o->json) {
        if (!empty) {
            mox__buf_byte(o->out, '\n');
            put_indent(o);
        }
        mox__buf_byte(o->out, list ? ']' : '}');
    } else if (o->in_entry) {
        mox__buf_byte(o->out, '\n');
    }
    o->in_entry = false;
}

/* ---- values ---- */

/* The bytes of the character at the start, 1 for what is no UTF-8. */
static size_t char_len(struct mox_slice s)
{
    size_t len = s.data[0] < 0xc0 ? 1 : s.data[0] < 0xe0 ? 2 : s.data[0] < 0xf0 ? 3 : 4;
    return len <= s.len && mox__slice_is_utf8(slice(s.data, len)) ? len : 1;
}

static uint32_t code_point(const uint8_t *c, size_t len)
{
    static const uint8_t masks[] = {0, 0xff, 0x1f, 0x0f, 0x07};
    uint32_t point = c[0] & masks[len];
    for (size_t i = 1; i < len; i++)
        point = point << 6 | (c[i] & 0x3f);
    return point;
}

/* RFC 8259 §7; text has \u{…} for the same. A byte that is no character is U+FFFD. */
static void put_escaped(struct outline *o, uint32_t point)
{
    if (!o->json)
        mox__buf_printf(o->out, "\\u{%X}", point);
    else if (point < 0x10000)
        mox__buf_printf(o->out, "\\u%04x", point);
    else
        mox__buf_printf(o->out, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10),
                        0xdc00 + ((point - 0x10000) & 0x3ff));
}

static void put_char(struct outline *o, struct mox_slice s, size_t len)
{
    uint8_t c = s.data[0];
    if (len > 1 || c < ' ' || c == 0x7f) {
        put_escaped(o, code_point(s.data, len));
    } else if (c >= 0x80) {
        put_escaped(o, 0xfffd);
    } else {
        if (c == '\\' || (o->json && c == '"'))
            mox__buf_byte(o->out, '\\');
        mox__buf_byte(o->out, c);
    }
}

static bool is_white(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* With one space for white space of any length. */
static void put_value(struct outline *o, struct mox_slice text)
{
    text = mox__slice_trim(text);
    if (text.len == 0 && !o->json)
        mox__buf_byte(o->out, '-');
    for (size_t i = 0, len; i < text.len; i += len) {
        len = char_len(slice_from(text, i));
        if (!is_white(text.data[i]))
            put_char(o, slice_from(text, i), len);
        else if (!is_white(text.data[i + 1])) /* trimmed: there is one */
            mox__buf_byte(o->out, ' ');
    }
}

void mox__outline_slice(struct outline *o, const char *key, struct mox_slice text)
{
    put_key(o, key);
    if (o->json)
        mox__buf_byte(o->out, '"');
    put_value(o, text);
    if (o->json)
        mox__buf_byte(o->out, '"');
    end_value(o);
}

void mox__outline_text(struct outline *o, const char *key, const char *text)
{
    mox__outline_slice(o, key, slice_of(text == NULL ? "" : text));
}

void mox__outline_words(struct outline *o, const char *text)
{
    if (o->json || !o->in_entry) {
        mox__outline_text(o, "text", text);
        return;
    }
    mox__buf_text(o->out, ": ");
    put_value(o, slice_of(text));
}

void mox__outline_item(struct outline *o, const char *text)
{
    mox__outline_text(o, NULL, text);
}

void mox__outline_uint(struct outline *o, const char *key, uint64_t n)
{
    put_key(o, key);
    mox__buf_uint(o->out, n);
    end_value(o);
}

void mox__outline_share(struct outline *o, const char *key, double share)
{
    unsigned n = share > 0 ? (unsigned)((share > 1 ? 1 : share) * 10000 + 0.5) : 0;
    put_key(o, key); /* no %f: it writes the locale's point */
    mox__buf_printf(o->out, "%u.%04u", n / 10000, n % 10000);
    end_value(o);
}

void mox__outline_signed(struct outline *o, const char *key, double n)
{
    const double most = 1e9, size = n < 0 ? -n : n;
    const uint64_t parts = (uint64_t)((size < most ? size : most) * 1000 + 0.5);
    put_key(o, key);
    mox__buf_printf(o->out, "%s%" PRIu64 ".%03u", n < 0 && parts > 0 ? "-" : "", parts / 1000,
                    (unsigned)(parts % 1000));
    end_value(o);
}

void mox__outline_bool(struct outline *o, const char *key, bool value)
{
    if (!o->json && o->in_entry) {
        if (value)
            mox__buf_printf(o->out, ", %s", key);
        return;
    }
    put_key(o, key);
    mox__buf_text(o->out, o->json ? (value ? "true" : "false") : (value ? "yes" : "no"));
    end_value(o);
}

void mox__outline_time(struct outline *o, const char *key, int64_t at_us)
{
    time_t seconds = (time_t)(at_us / 1000000);
    struct tm tm;
    char text[32] = "";
    if (gmtime_r(&seconds, &tm) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    mox__outline_text(o, key, text);
}
