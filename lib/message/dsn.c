/* SPDX-License-Identifier: MIT */
#include "message/dsn.h"

#include <mox/date.h>

#include "base/text.h"
#include "message/fold.h"
#include "message/qp.h"

/* A thousand recipients (RFC 5321 §4.5.3.1.8 asks for a hundred) with addresses and replies as long as they
 * may be are 6 MB. */
#define DSN_MAX (16u << 20)

/* Of an encoded word, each up to 3 bytes in it; a character adds up to 3 more. */
#define WORD_BYTES 16

/* Bytes drawn, so that who wrote the message cannot have its headers end a part. "=_" is what neither
 * quoted-printable nor base64 can hold (RFC 2045 §6.7). */
#define BOUNDARY_BYTES 12
struct boundary {
    char text[sizeof "=_" + 2 * BOUNDARY_BYTES];
};

static struct boundary draw_boundary(const struct mox_env *env)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[BOUNDARY_BYTES];
    struct boundary b = {"=_"};
    env->random(env->user, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        b.text[2 + 2 * i] = digits[bytes[i] >> 4];
        b.text[3 + 2 * i] = digits[bytes[i] & 15];
    }
    return b;
}

/* An address that cannot stand in a header field is shown as the name of an empty group (RFC 6857 §3.1). */
static void put_as_group(struct buf *out, const char *address)
{
    struct buf clean;
    size_t in_word = 0;
    mox__buf_init(&clean, out->env, DSN_ADDRESS_MAX);
    mox__dsn_utf8(&clean, address, DSN_ADDRESS_MAX);
    for (size_t i = 0; i < clean.len; i++) {
        uint8_t c = clean.data[i];
        /* RFC 2047 §2, §5: at most 75 bytes, and no character is cut */
        if (i == 0 || (in_word >= WORD_BYTES && (c & 0xc0) != 0x80)) {
            mox__buf_text(out, i == 0 ? "=?utf-8?q?" : "?=\r\n\t=?utf-8?q?");
            in_word = 0;
        }
        in_word++;
        if (is_alpha(c) || is_digit(c))
            mox__buf_byte(out, c);
        else
            mox__buf_printf(out, "=%02X", c);
    }
    mox__buf_text(out, clean.len > 0 ? "?= :;" : "unknown :;");
    out->failed |= clean.failed;
    mox__buf_free(&clean);
}

static void address_field(struct buf *out, const char *name, const char *phrase,
                          const char *address, bool utf8)
{
    mox__buf_printf(out, "%s: ", name);
    size_t start = out->len;
    mox__buf_printf(out, "%s<", phrase);
    if (mox__dsn_addr_spec(out, address, utf8)) {
        mox__buf_text(out, ">\r\n");
        return;
    }
    out->len = start;
    put_as_group(out, address);
    mox__buf_text(out, "\r\n");
}

static bool any_has(const struct mox_dsn *dsn, enum mox_dsn_action action)
{
    for (size_t i = 0; i < dsn->recipient_count; i++)
        if (dsn->recipients[i].action == action)
            return true;
    return false;
}

static const char *subject_of(const struct mox_dsn *dsn)
{
    if (dsn->subject[0] != '\0')
        return dsn->subject;
    if (any_has(dsn, MOX_DSN_FAILED))
        return "Your message could not be delivered";
    return any_has(dsn, MOX_DSN_DELAYED) ? "Your message is delayed"
                                         : "What became of your message";
}

static void subject_field(struct buf *out, const struct mox_dsn *dsn)
{
    struct buf clean;
    struct fold f;
    mox__buf_init(&clean, out->env, DSN_REPLY_MAX);
    mox__dsn_ascii(&clean, subject_of(dsn), DSN_REPLY_MAX);
    mox__fold_begin(&f, out, "Subject");
    mox__fold_words(&f, slice(clean.data, clean.len));
    mox__fold_end(&f);
    out->failed |= clean.failed;
    mox__buf_free(&clean);
}

static void put_ids(struct buf *out, const struct mox_dsn *dsn)
{
    struct buf id;
    mox__buf_init(&id, out->env, SIZE_MAX / 2);
    mox__dsn_original_id(&id, dsn);
    mox__buf_printf(out, "Message-Id: <");
    mox__dsn_ascii(out, dsn->message_id, DSN_ADDRESS_MAX);
    mox__buf_text(out, ">\r\n");
    const char *const names[] = {"In-Reply-To: ", "References: "};
    for (size_t i = 0; id.len > 0 && i < 2; i++) {
        mox__buf_text(out, names[i]);
        mox__buf_slice(out, slice(id.data, id.len));
        mox__buf_text(out, "\r\n");
    }
    out->failed |= id.failed;
    mox__buf_free(&id);
}

static void put_header(struct buf *out, const struct mox_dsn *dsn, const struct boundary *boundary)
{
    char date[MOX_DATE_MAX];
    mox_date_format(dsn->now_us / 1000000, 0, date);
    address_field(out, "From", "Mail delivery ", dsn->from, dsn->smtputf8);
    address_field(out, "To", "", dsn->to, dsn->smtputf8);
    subject_field(out, dsn);
    mox__buf_printf(out, "Date: %s\r\n", date);
    put_ids(out, dsn);
    mox__buf_printf(out,
                    "Auto-Submitted: auto-replied\r\n" /* RFC 3834 §5 */
                    "MIME-Version: 1.0\r\n"
                    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                    "\tboundary=\"%s\"\r\n",
                    boundary->text);
}

/* The text is ASCII but for addresses that are not. */
static void put_text(struct buf *out, const struct mox_dsn *dsn)
{
    struct buf text;
    mox__buf_init(&text, out->env, DSN_MAX);
    mox__dsn_text(&text, dsn);
    struct mox_slice said = slice(text.data, text.len);
    bool ascii = mox__slice_is_ascii(said);
    mox__buf_printf(out,
                    "Content-Type: text/plain; charset=%s\r\n"
                    "Content-Transfer-Encoding: %s\r\n\r\n",
                    ascii ? "us-ascii" : "utf-8", ascii ? "7bit" : "quoted-printable");
    if (ascii)
        mox__buf_slice(out, said);
    else
        mox__qp_encode(out, said);
    out->failed |= text.failed;
    mox__buf_free(&text);
}

static void put_status(struct buf *out, const struct mox_dsn *dsn)
{
    bool global = mox__dsn_status_is_global(dsn);
    mox__buf_printf(out,
                    "Content-Type: message/%sdelivery-status\r\n"
                    "Content-Transfer-Encoding: %s\r\n\r\n",
                    global ? "global-" : "", global ? "8bit" : "7bit");
    mox__dsn_status(out, dsn);
}

int mox_dsn_compose(const struct mox_dsn *dsn, const struct mox_env *env, char **out, size_t *len)
{
    struct buf b;
    *out = NULL;
    *len = 0;
    if (dsn->recipient_count == 0)
        return MOX_EINVAL;
    const struct boundary boundary = draw_boundary(env);
    mox__buf_init(&b, env, DSN_MAX);
    put_header(&b, dsn, &boundary);
    mox__buf_printf(&b, "\r\n--%s\r\n", boundary.text);
    put_text(&b, dsn);
    mox__buf_printf(&b, "\r\n--%s\r\n", boundary.text);
    put_status(&b, dsn);
    mox__buf_printf(&b, "\r\n--%s\r\n", boundary.text);
    mox__dsn_original(&b, dsn);
    mox__buf_printf(&b, "\r\n--%s--\r\n", boundary.text);
    size_t written = b.len;
    mox__buf_byte(&b, '\0');
    if (b.failed) {
        mox__buf_free(&b);
        return MOX_ENOMEM;
    }
    *out = (char *)b.data; /* the caller's from here on */
    *len = written;
    return MOX_OK;
}
