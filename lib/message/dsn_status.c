/* SPDX-License-Identifier: MIT */
#include "message/dsn.h"

#include <stdio.h>

#include <mox/date.h>

#include "base/text.h"
#include "message/fold.h"

/* message/delivery-status (RFC 3464 §2): fields about the message, and behind a blank line each those about
 * a recipient. */

const char *mox__dsn_action_name(enum mox_dsn_action action)
{
    static const char *const names[] = {"failed", "delayed", "delivered", "relayed", "expanded"};
    return names[action];
}

static bool is_ascii(const char *text)
{
    return mox__slice_is_ascii(slice_of(text));
}

bool mox__dsn_status_is_global(const struct mox_dsn *dsn)
{
    for (size_t i = 0; dsn->smtputf8 && i < dsn->recipient_count; i++)
        if (!is_ascii(dsn->recipients[i].address) || !is_ascii(dsn->recipients[i].original_address))
            return true;
    return false;
}

/* A field whose value is `type; text`. */
static void typed(struct buf *out, const char *name, const char *type, struct mox_slice text)
{
    struct fold f;
    mox__fold_begin(&f, out, name);
    mox__fold_text(&f, type);
    mox__fold_words(&f, text);
    mox__fold_end(&f);
}

/* Nothing is written for an empty text. */
static void typed_ascii(struct buf *out, const char *name, const char *type, const char *text,
                        size_t max)
{
    struct buf clean;
    if (text[0] == '\0')
        return;
    mox__buf_init(&clean, out->env, max);
    mox__dsn_ascii(&clean, text, max);
    typed(out, name, type, slice(clean.data, clean.len));
    out->failed |= clean.failed;
    mox__buf_free(&clean);
}

static void date(struct buf *out, const char *name, int64_t at_us)
{
    char text[MOX_DATE_MAX];
    if (at_us == 0)
        return;
    mox_date_format(at_us / 1000000, 0, text);
    mox__buf_printf(out, "%s: %s\r\n", name, text);
}

/* The code point at the start of well-formed UTF-8, and its bytes. */
static uint32_t code_point(const uint8_t *c, size_t *len)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    *len = c[0] < 0x80 ? 1 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    uint32_t point = c[0] & masks[*len];
    for (size_t i = 1; i < *len; i++)
        point = point << 6 | (c[i] & 0x3f);
    return point;
}

/* The longest character in xtext. */
#define XTEXT_CHAR (sizeof "\\x{10FFFF}" - 1)

/* utf-8-addr-xtext (RFC 6533 §3): for where only ASCII may stand. What is longer than a line, as no real
 * address is, is cut off. */
static void put_xtext(struct buf *out, struct mox_slice s)
{
    size_t len;
    for (size_t i = 0; i < s.len && out->len + XTEXT_CHAR <= DSN_REPLY_MAX; i += len) {
        uint32_t point = code_point(s.data + i, &len);
        if (point <= ' ' || point >= 0x7f || point == '+' || point == '=' || point == '\\')
            mox__buf_printf(out, "\\x{%02X}", point);
        else
            mox__buf_byte(out, (uint8_t)point);
    }
}

static void put_address(struct buf *out, const char *name, const char *address, bool global)
{
    struct buf clean, xtext;
    if (address[0] == '\0')
        return;
    mox__buf_init(&clean, out->env, DSN_ADDRESS_MAX);
    mox__buf_init(&xtext, out->env, DSN_REPLY_MAX);
    mox__dsn_utf8(&clean, address, DSN_ADDRESS_MAX);
    struct mox_slice text = slice(clean.data, clean.len);
    if (mox__slice_is_ascii(text)) {
        typed(out, name, "rfc822;", text);
    } else if (global) {
        typed(out, name, "utf-8;", text);
    } else {
        put_xtext(&xtext, text);
        typed(out, name, "utf-8;", slice(xtext.data, xtext.len));
    }
    out->failed |= clean.failed || xtext.failed;
    mox__buf_free(&clean);
    mox__buf_free(&xtext);
}

/* RFC 3463 §2: class "." subject "." detail. */
static bool is_status(const char *text)
{
    size_t digits = 0, dots = 0;
    if (text[0] == '\0' || strchr("245", text[0]) == NULL || text[1] != '.')
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '.' ? digits == 0 : !is_digit((uint8_t)*c) || digits == 3)
            return false;
        dots += *c == '.';
        digits = *c == '.' ? 0 : digits + 1;
    }
    return dots == 2 && digits > 0;
}

static const char *status_of(const struct mox_dsn_recipient *r)
{
    if (is_status(r->status))
        return r->status;
    return r->action == MOX_DSN_FAILED ? "5.0.0" : r->action == MOX_DSN_DELAYED ? "4.0.0" : "2.0.0";
}

/* Whether a diagnostic is the reply of a server (RFC 3464 §2.3.6): "550 …". */
static bool is_reply(const char *text)
{
    return is_digit((uint8_t)text[0]) && is_digit((uint8_t)text[1]) && is_digit((uint8_t)text[2]) &&
           (text[3] == ' ' || text[3] == '-' || text[3] == '\0');
}

static void put_recipient(struct buf *out, const struct mox_dsn_recipient *r, bool global)
{
    put_address(out, "Original-Recipient", r->original_address, global);
    put_address(out, "Final-Recipient", r->address[0] == '\0' ? "?" : r->address, global);
    mox__buf_printf(out, "Action: %s\r\nStatus: %s\r\n", mox__dsn_action_name(r->action),
                    status_of(r));
    typed_ascii(out, "Remote-MTA", "dns;", r->remote_mta, DSN_ADDRESS_MAX);
    typed_ascii(out, "Diagnostic-Code", is_reply(r->diagnostic) ? "smtp;" : "x-mox;", r->diagnostic,
                DSN_REPLY_MAX);
    date(out, "Last-Attempt-Date", r->last_attempt_us);
    if (r->action == MOX_DSN_DELAYED)
        date(out, "Will-Retry-Until", r->will_retry_until_us);
}

void mox__dsn_status(struct buf *out, const struct mox_dsn *dsn)
{
    bool global = mox__dsn_status_is_global(dsn);
    if (dsn->envelope_id[0] != '\0') {
        mox__buf_text(out, "Original-Envelope-Id: ");
        mox__dsn_ascii(out, dsn->envelope_id, DSN_ADDRESS_MAX);
        mox__buf_text(out, "\r\n");
    }
    typed_ascii(out, "Reporting-MTA", "dns;", dsn->reporting_mta, DSN_ADDRESS_MAX);
    typed_ascii(out, "Received-From-MTA", "dns;", dsn->received_from, DSN_ADDRESS_MAX);
    date(out, "Arrival-Date", dsn->arrived_us);
    for (size_t i = 0; i < dsn->recipient_count; i++) {
        mox__buf_text(out, "\r\n");
        put_recipient(out, &dsn->recipients[i], global);
    }
}
