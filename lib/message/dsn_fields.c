/* SPDX-License-Identifier: MIT */
#include "message/dsn.h"

#include <stdio.h>
#include <string.h>

#include <mox/date.h>
#include <mox/header.h>

#include "base/text.h"
#include "message/header.h"

/* message/delivery-status as others write it (RFC 3464 §2): groups of fields with blank lines between. */

/* While the fields are walked. */
struct reading {
    struct mox_dsn_report *report;
    struct arena *arena;
    struct mox_dsn_recipient *recipients,
        *now; /* now: whose fields these are; NULL: the message's */
    bool has_action;
    bool failed; /* out of memory */
};

/* ---- values ---- */

/* Cleaned, and kept; "" for an empty one. */
static const char *keep(struct reading *r, struct mox_slice value, bool utf8, size_t max)
{
    struct buf line, clean;
    mox__buf_init(&line, r->arena->env, value.len + 1);
    mox__buf_init(&clean, r->arena->env, max);
    mox__header_unfold(&line, value);
    mox__buf_byte(&line, '\0');
    const char *kept = NULL;
    if (!line.failed) {
        if (utf8)
            mox__dsn_utf8(&clean, (const char *)line.data, max);
        else
            mox__dsn_ascii(&clean, (const char *)line.data, max);
    }
    if (!line.failed && !clean.failed)
        kept = clean.len == 0 ? "" : mox__arena_strndup(r->arena, clean.data, clean.len);
    mox__buf_free(&line);
    mox__buf_free(&clean);
    r->failed |= kept == NULL;
    return kept == NULL ? "" : kept;
}

/* What stands behind `type;`. */
static struct mox_slice without_type(struct mox_slice value)
{
    const uint8_t *semicolon = value.len > 0 ? memchr(value.data, ';', value.len) : NULL;
    return mox__slice_trim(
        semicolon == NULL ? value : slice_from(value, (size_t)(semicolon - value.data) + 1));
}

/* The first word, without a comment behind it. */
static struct mox_slice word(struct mox_slice value)
{
    value = mox__slice_trim(value);
    size_t len = 0;
    while (len < value.len && value.data[len] > ' ' && value.data[len] != '(')
        len++;
    return slice(value.data, len);
}

static int64_t date(struct mox_slice value)
{
    struct mox_date d;
    return mox_date_parse(value, &d) == MOX_OK ? mox_date_unix(&d) * 1000000 : 0;
}

static void put_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        mox__buf_byte(out, (uint8_t)c);
        return;
    }
    if (c < 0x800) {
        mox__buf_byte(out, (uint8_t)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            mox__buf_byte(out, (uint8_t)(0xe0 | c >> 12));
        } else {
            mox__buf_byte(out, (uint8_t)(0xf0 | c >> 18));
            mox__buf_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        }
        mox__buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
    }
    mox__buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
}

/* The bytes of "\x{F8}" at the start (RFC 6533 §3), or 0 for another text. */
static size_t read_escape(struct mox_slice s, uint32_t *point)
{
    size_t at = 3;
    if (s.len < 5 || memcmp(s.data, "\\x{", 3) != 0)
        return 0;
    for (*point = 0; at < s.len && at < 9 && hex_value(s.data[at]) >= 0; at++)
        *point = *point << 4 | (uint32_t)hex_value(s.data[at]);
    bool is_point = *point > 0 && *point <= 0x10ffff && (*point < 0xd800 || *point > 0xdfff);
    return is_point && at < s.len && s.data[at] == '}' ? at + 1 : 0;
}

/* An address with its type: "rfc822; <a@b>", "utf-8; \x{F8}@b". */
static const char *address(struct reading *r, struct mox_slice value)
{
    struct buf text;
    struct mox_slice s = without_type(value);
    size_t step;
    if (s.len > 1 && s.data[0] == '<' && s.data[s.len - 1] == '>')
        s = slice(s.data + 1, s.len - 2);
    mox__buf_init(&text, r->arena->env, s.len);
    for (size_t i = 0; i < s.len; i += step) {
        uint32_t point;
        step = read_escape(slice_from(s, i), &point);
        if (step > 0)
            put_utf8(&text, point);
        else
            mox__buf_byte(&text, s.data[i]);
        step += step == 0;
    }
    const char *kept = keep(r, slice(text.data, text.len), true, DSN_ADDRESS_MAX);
    r->failed |= text.failed;
    mox__buf_free(&text);
    return kept;
}

/* ---- fields ---- */

static void read_action(struct reading *r, struct mox_slice value)
{
    const struct mox_slice name = word(value);
    for (int a = MOX_DSN_FAILED; a <= MOX_DSN_EXPANDED; a++)
        if (mox__slice_is_nocase(name, mox__dsn_action_name((enum mox_dsn_action)a))) {
            r->now->action = (enum mox_dsn_action)a;
            r->has_action = true;
        }
}

/* A recipient that cannot be used is written over by the next. */
static void end_recipient(struct reading *r)
{
    const struct mox_dsn_recipient *d = r->now;
    if (d != NULL && r->has_action && (d->address[0] != '\0' || d->original_address[0] != '\0'))
        r->report->recipient_count++;
    r->now = NULL;
}

static void begin_recipient(struct reading *r)
{
    end_recipient(r);
    if (r->report->recipient_count == MOX_DSN_RECIPIENTS_MAX)
        return;
    r->now = &r->recipients[r->report->recipient_count];
    r->has_action = false;
    *r->now = (struct mox_dsn_recipient){
        .address = "", .original_address = "", .status = "", .diagnostic = "", .remote_mta = ""};
}

static bool is(const struct mox_header_field *f, const char *name)
{
    return mox__slice_is_nocase(f->name, name);
}

static void read_of_message(struct reading *r, const struct mox_header_field *f)
{
    if (is(f, "Original-Envelope-Id"))
        r->report->envelope_id = keep(r, f->value, false, DSN_ADDRESS_MAX);
    else if (is(f, "Reporting-MTA"))
        r->report->reporting_mta = keep(r, without_type(f->value), false, DSN_ADDRESS_MAX);
    else if (is(f, "Received-From-MTA"))
        r->report->received_from = keep(r, without_type(f->value), false, DSN_ADDRESS_MAX);
    else if (is(f, "Arrival-Date"))
        r->report->arrived_us = date(f->value);
}

static void read_of_recipient(struct reading *r, const struct mox_header_field *f)
{
    struct mox_dsn_recipient *d = r->now;
    if (is(f, "Final-Recipient"))
        d->address = address(r, f->value);
    else if (is(f, "Original-Recipient"))
        d->original_address = address(r, f->value);
    else if (is(f, "Action"))
        read_action(r, f->value);
    else if (is(f, "Status"))
        d->status = keep(r, word(f->value), false, DSN_ADDRESS_MAX);
    else if (is(f, "Remote-MTA"))
        d->remote_mta = keep(r, without_type(f->value), false, DSN_ADDRESS_MAX);
    else if (is(f, "Diagnostic-Code"))
        d->diagnostic = keep(r, without_type(f->value), false, DSN_REPLY_MAX);
    else if (is(f, "Last-Attempt-Date"))
        d->last_attempt_us = date(f->value);
    else if (is(f, "Will-Retry-Until"))
        d->will_retry_until_us = date(f->value);
}

/* An address begins a recipient where none has begun, and where it is this one's second: blank lines are
 * often forgotten. */
static bool begins_recipient(const struct reading *r, const struct mox_header_field *f)
{
    if (is(f, "Final-Recipient"))
        return r->now == NULL || r->now->address[0] != '\0';
    if (is(f, "Original-Recipient"))
        return r->now == NULL || r->now->original_address[0] != '\0';
    return false;
}

static void read_field(struct reading *r, const struct mox_header_field *f, bool first_group)
{
    if (r->now == NULL && !first_group && r->report->recipient_count < MOX_DSN_RECIPIENTS_MAX)
        begin_recipient(r);
    else if (begins_recipient(r, f))
        begin_recipient(r);
    if (r->now != NULL)
        read_of_recipient(r, f);
    else if (first_group)
        read_of_message(r, f);
}

/* Behind the blank lines. */
static struct mox_slice skip_blank(struct mox_slice s)
{
    size_t len;
    while (s.len > 0 && (len = mox__blank_line(s, 0)) > 0)
        s = slice_from(s, len);
    return s;
}

int mox__dsn_read_status(struct mox_dsn_report *report, struct arena *arena,
                         struct mox_slice fields)
{
    struct reading r = {.report = report, .arena = arena};
    report->envelope_id = report->reporting_mta = report->received_from = "";
    r.recipients = arena_new(arena, struct mox_dsn_recipient, MOX_DSN_RECIPIENTS_MAX);
    if (r.recipients == NULL)
        return MOX_ENOMEM;
    report->recipients = r.recipients;
    bool first_group = true;
    for (fields = skip_blank(fields); fields.len > 0; fields = skip_blank(fields)) {
        struct mox_header_field f;
        size_t at = 0;
        while (!r.failed && mox_header_next(fields, &at, &f))
            read_field(&r, &f, first_group);
        if (at == 0 || r.failed)
            break;
        end_recipient(&r);
        fields = slice_from(fields, at);
        first_group = false;
    }
    end_recipient(&r);
    if (r.failed)
        return MOX_ENOMEM;
    return report->recipient_count > 0 ? MOX_OK : MOX_ENOTFOUND;
}
