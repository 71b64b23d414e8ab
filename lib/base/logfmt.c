/* SPDX-License-Identifier: MIT */
#include "base/logfmt.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <mox/log.h>

#include "base/text.h"

/* A line under way; what does not fit is dropped. One byte is kept for the LF. */
struct line {
    char *out;
    size_t len, size;
};

static void put(struct line *l, const char *text, size_t len)
{
    size_t room = l->size - 1 - l->len;
    size_t n = len < room ? len : room;
    memcpy(l->out + l->len, text, n);
    l->len += n;
}

static void put_text(struct line *l, const char *text)
{
    put(l, text, strlen(text));
}

static bool needs_quotes(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return true;
    }
    return s.len == 0;
}

static void put_escaped(struct line *l, struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        char esc[8];
        if (c == '"' || c == '\\')
            (void)snprintf(esc, sizeof esc, "\\%c", c);
        else if (c == '\n')
            (void)snprintf(esc, sizeof esc, "\\n");
        else if (c == '\r')
            (void)snprintf(esc, sizeof esc, "\\r");
        else if (c == '\t')
            (void)snprintf(esc, sizeof esc, "\\t");
        else if (c < ' ' || c >= 0x7f)
            (void)snprintf(esc, sizeof esc, "\\x%02x", c);
        else
            (void)snprintf(esc, sizeof esc, "%c", c);
        put_text(l, esc);
    }
}

static void put_value(struct line *l, struct mox_slice s, bool plain)
{
    if (!needs_quotes(s)) {
        put(l, (const char *)s.data, s.len);
    } else if (plain) {
        put_escaped(l, s);
    } else {
        put_text(l, "\"");
        put_escaped(l, s);
        put_text(l, "\"");
    }
}

/* As Go prints durations, cut to what matters: 1.5s, 12ms, 300us, 1h2m3s. */
static void format_duration(char *out, size_t size, int64_t us)
{
    const char *sign = us < 0 ? "-" : "";
    uint64_t n = us < 0 ? -(uint64_t)us : (uint64_t)us;
    if (n < 1000)
        (void)snprintf(out, size, "%s%" PRIu64 "us", sign, n);
    else if (n < 1000000)
        (void)snprintf(out, size, "%s%" PRIu64 ".%03" PRIu64 "ms", sign, n / 1000, n % 1000);
    else if (n < 60000000)
        (void)snprintf(out, size, "%s%" PRIu64 ".%03" PRIu64 "s", sign, n / 1000000,
                       n / 1000 % 1000);
    else
        (void)snprintf(out, size, "%s%" PRIu64 "h%" PRIu64 "m%" PRIu64 "s", sign,
                       n / 3600000000u, n / 60000000 % 60, n / 1000000 % 60);
}

static void format_time(char *out, size_t size, int64_t us)
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    out[0] = '\0';
    if (gmtime_r(&seconds, &tm) != NULL && strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        out[0] = '\0';
}

static void put_field(struct line *l, const struct mox_log_field *f, bool plain)
{
    char text[64];
    struct mox_slice s = {0};
    switch (f->type) {
    case MOX_LOG_TEXT:
        s = slice_of(f->value.text == NULL ? "" : f->value.text);
        break;
    case MOX_LOG_BYTES:
        s = f->value.bytes;
        break;
    case MOX_LOG_INT:
        (void)snprintf(text, sizeof text, "%" PRId64, f->value.i);
        break;
    case MOX_LOG_UINT:
        (void)snprintf(text, sizeof text, "%" PRIu64, f->value.u);
        break;
    case MOX_LOG_HEX:
        (void)snprintf(text, sizeof text, "%" PRIx64, f->value.u);
        break;
    case MOX_LOG_DURATION:
        format_duration(text, sizeof text, f->value.i);
        break;
    case MOX_LOG_TIME:
        format_time(text, sizeof text, f->value.i);
        break;
    }
    if (f->type != MOX_LOG_TEXT && f->type != MOX_LOG_BYTES)
        s = slice_of(text);
    put_text(l, f->key);
    put_text(l, plain ? ": " : "=");
    put_value(l, s, plain);
}

static void put_named(struct line *l, const char *name, const char *value)
{
    put_text(l, name);
    put_value(l, slice_of(value), false);
}

size_t mox__logfmt(const struct mox_log_line *line, bool plain, char *out, size_t size)
{
    assert(size > 1);
    struct line l = {out, 0, size};
    /* All trace lines are labelled trace: the finer levels say who may see them, not what they are. */
    enum mox_log_level level = line->level > MOX_LOG_TRACE ? MOX_LOG_TRACE : line->level;
    const char *level_name = mox_log_level_name(level);
    if (plain) {
        put_text(&l, level_name);
        put_text(&l, ": ");
        put_text(&l, line->message);
        if (line->error != NULL) {
            put_text(&l, ": ");
            put_text(&l, line->error);
        }
    } else {
        put_named(&l, "l=", level_name);
        put_named(&l, " m=", line->message);
        if (line->error != NULL)
            put_named(&l, " err=", line->error);
        put_named(&l, " pkg=", line->pkg);
    }
    for (size_t i = 0; i < line->field_count; i++) {
        put_text(&l, !plain ? " " : i == 0 ? " (" : "; ");
        put_field(&l, &line->fields[i], plain);
    }
    if (plain && line->field_count > 0)
        put_text(&l, ")");
    l.out[l.len++] = '\n';
    return l.len;
}
