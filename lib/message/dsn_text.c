/* SPDX-License-Identifier: MIT */
#include "message/dsn.h"

#include <mox/date.h>

#include "base/text.h"

/* What people read: what became of the message, recipient by recipient, in plain words. Lines that hold
 * what others said are indented, so that they cannot pass for ours. */

#define COLUMN_MAX 72

/* Words in lines behind an indent. */
static void paragraph(struct buf *out, const char *indent, struct mox_slice text)
{
    size_t column = 0;
    for (size_t at = 0; at < text.len;) {
        const uint8_t *space = memchr(text.data + at, ' ', text.len - at);
        size_t end = space == NULL ? text.len : (size_t)(space - text.data);
        struct mox_slice word = slice(text.data + at, end - at);
        at = end + 1;
        if (word.len == 0)
            continue;
        if (column > 0 && column + 1 + word.len > COLUMN_MAX) {
            mox__buf_text(out, "\r\n");
            column = 0;
        }
        mox__buf_text(out, column == 0 ? indent : " ");
        column += (column == 0 ? strlen(indent) : 1) + word.len;
        mox__buf_slice(out, word);
    }
    if (column > 0)
        mox__buf_text(out, "\r\n");
}

static void put_date(struct buf *out, int64_t at_us)
{
    char text[MOX_DATE_MAX];
    mox_date_format(at_us / 1000000, 0, text);
    mox__buf_text(out, text);
}

/* "mx.example said: 550 …", or only the text when we said it. */
static void put_reason(struct buf *out, const struct mox_dsn_recipient *r)
{
    struct buf line;
    mox__buf_init(&line, out->env, DSN_REPLY_MAX + DSN_ADDRESS_MAX + 32);
    if (r->diagnostic[0] != '\0' && r->remote_mta[0] != '\0') {
        mox__dsn_ascii(&line, r->remote_mta, DSN_ADDRESS_MAX);
        mox__buf_text(&line, " said: ");
    }
    mox__dsn_ascii(&line, r->diagnostic, DSN_REPLY_MAX);
    paragraph(out, "        ", slice(line.data, line.len));
    out->failed |= line.failed;
    mox__buf_free(&line);
}

static void put_recipient(struct buf *out, const struct mox_dsn_recipient *r)
{
    mox__buf_text(out, "\r\n    ");
    mox__dsn_utf8(out, r->address, DSN_ADDRESS_MAX);
    mox__buf_text(out, "\r\n");
    put_reason(out, r);
    if (r->action == MOX_DSN_DELAYED && r->will_retry_until_us != 0) {
        mox__buf_text(out, "        We try until ");
        put_date(out, r->will_retry_until_us);
        mox__buf_text(out, ".\r\n");
    }
}

static void put_recipients(struct buf *out, const struct mox_dsn *dsn, enum mox_dsn_action action)
{
    static const char *const headings[] = {
        [MOX_DSN_FAILED] = "It could not be delivered to:",
        [MOX_DSN_DELAYED] =
            "It has not been delivered yet, and we keep trying; you need not send it again:",
        [MOX_DSN_DELIVERED] = "It was delivered to:",
        [MOX_DSN_RELAYED] =
            "It was passed on to a server that may not tell you whether it arrives, for:",
        [MOX_DSN_EXPANDED] = "It was passed on to all whom these addresses stand for:",
    };
    bool any = false;
    for (size_t i = 0; i < dsn->recipient_count; i++) {
        if (dsn->recipients[i].action != action)
            continue;
        if (!any) {
            mox__buf_text(out, "\r\n");
            paragraph(out, "", slice_of(headings[action]));
        }
        any = true;
        put_recipient(out, &dsn->recipients[i]);
    }
}

static void put_message(struct buf *out, const struct mox_dsn *dsn)
{
    struct buf line;
    mox__buf_init(&line, out->env, DSN_ADDRESS_MAX + MOX_DATE_MAX + 100);
    mox__buf_text(&line, "This is the mail server ");
    mox__dsn_ascii(&line, dsn->reporting_mta, DSN_ADDRESS_MAX);
    mox__buf_text(&line, ", about a message from you");
    if (dsn->arrived_us != 0) {
        mox__buf_text(&line, " that came on ");
        put_date(&line, dsn->arrived_us);
    }
    mox__buf_byte(&line, '.');
    paragraph(out, "", slice(line.data, line.len));
    out->failed |= line.failed;
    mox__buf_free(&line);
}

void mox__dsn_text(struct buf *out, const struct mox_dsn *dsn)
{
    put_message(out, dsn);
    for (int action = MOX_DSN_FAILED; action <= MOX_DSN_EXPANDED; action++)
        put_recipients(out, dsn, (enum mox_dsn_action)action);
    mox__buf_text(out, "\r\nThe header of the message is attached.\r\n");
}
