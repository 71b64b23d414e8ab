/* SPDX-License-Identifier: MIT */
#include "mailauth/auth_results.h"

#include "base/text.h"
#include "message/fold.h"

/* More than a field of MOX_AUTH_METHODS_MAX methods with everything at its longest: what limits a field
 * are the bounds on its parts. */
#define FIELD_MAX (4 * 1024 * 1024)

/* The longest piece between two places to fold: type.property="value", all of it escaped. */
#define PIECE_MAX (4 * MOX_AUTH_NAME_MAX + 2 * MOX_AUTH_VALUE_MAX + 16)

static bool is_white(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* tspecials of RFC 2045 §5.1. */
static bool is_tspecial(uint8_t c)
{
    return c != '\0' && strchr("()<>@,;:\\\"/[]?=", c) != NULL;
}

/* What stands in words of an address without quotes; bytes of UTF-8 do (RFC 6531 §3.3). */
static bool is_word(uint8_t c)
{
    return c > ' ' && c != 0x7f && c != '.' && !is_tspecial(c);
}

/* word *("." word) */
static bool is_dotted(struct mox_slice s)
{
    bool after_dot = true;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '.' ? after_dot : !is_word(s.data[i]))
            return false;
        after_dot = s.data[i] == '.';
    }
    return !after_dot;
}

bool mox__auth_is_address(struct mox_slice value)
{
    const uint8_t *at = value.len == 0 ? NULL : memchr(value.data, '@', value.len);
    if (at == NULL)
        return false;
    size_t local = (size_t)(at - value.data);
    return (local == 0 || is_dotted(slice(value.data, local))) &&
           is_dotted(slice_from(value, local + 1));
}

static bool is_token(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] >= 0x7f || is_tspecial(s.data[i]))
            return false;
    return s.len > 0;
}

/* The text, up to `max` bytes and no half character. */
static struct mox_slice cut(const char *text, size_t max)
{
    struct mox_slice s = slice_of(text);
    if (s.len <= max)
        return s;
    s.len = max;
    while (s.len > 0 && (s.data[s.len] & 0xc0) == 0x80)
        s.len--;
    return s;
}

/* Text between two `marks`, those escaped that are in it. No controls, and no bytes that are not text. */
static void put_escaped(struct buf *out, struct mox_slice text, const char *marks)
{
    bool utf8 = mox__slice_is_utf8(text);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (is_white(c))
            c = ' ';
        else if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8))
            c = '?';
        if (c == '\\' || c == (uint8_t)marks[0] || c == (uint8_t)marks[1])
            mox__buf_byte(out, '\\');
        mox__buf_byte(out, c);
    }
}

void mox__auth_value_put(struct buf *out, const char *text, bool is_address)
{
    struct mox_slice value = cut(text, MOX_AUTH_VALUE_MAX);
    if (is_token(value) ||
        (is_address && mox__auth_is_address(value) && mox__slice_is_utf8(value))) {
        mox__buf_slice(out, value);
        return;
    }
    mox__buf_byte(out, '"');
    put_escaped(out, value, "\"\"");
    mox__buf_byte(out, '"');
}

/* A keyword (RFC 5321 §4.1.2); what cannot be in one becomes `-`. */
static void put_name(struct buf *out, const char *text)
{
    struct mox_slice name = cut(text, MOX_AUTH_NAME_MAX);
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        mox__buf_byte(out, is_alpha(c) || is_digit(c) || c == '_' ? c : '-');
    }
}

static void fold_words(struct fold *f, const struct buf *piece)
{
    f->out->failed |= piece->failed;
    mox__fold_words(f, slice(piece->data, piece->len));
}

static void put_comment(struct fold *f, struct buf *piece, const char *comment)
{
    mox__buf_clear(piece);
    mox__buf_byte(piece, '(');
    put_escaped(piece, mox__slice_trim(cut(comment, MOX_AUTH_VALUE_MAX)), "()");
    mox__buf_byte(piece, ')');
    fold_words(f, piece);
}

static void put_property(struct fold *f, struct buf *piece, const struct mox_auth_property *p)
{
    mox__buf_clear(piece);
    if (p->type[0] != '\0') {
        put_name(piece, p->type);
        mox__buf_byte(piece, '.');
    }
    put_name(piece, p->property);
    mox__buf_byte(piece, '=');
    mox__auth_value_put(piece, p->value, p->is_address);
    fold_words(f, piece);
}

static void put_method(struct fold *f, struct buf *piece, const struct mox_auth_method *m)
{
    mox__buf_clear(piece);
    put_name(piece, m->method);
    if (m->version != 1)
        mox__buf_printf(piece, "/%u", m->version);
    mox__buf_byte(piece, '=');
    put_name(piece, m->result);
    fold_words(f, piece);
    bool more = m->reason != NULL || m->property_count > 0;
    if (more && m->comment != NULL && mox__slice_trim(slice_of(m->comment)).len > 0)
        put_comment(f, piece, m->comment);
    if (m->reason != NULL)
        put_property(f, piece, &(struct mox_auth_property){.type = "", "reason", m->reason, false});
    for (size_t i = 0; i < m->property_count; i++)
        put_property(f, piece, &m->properties[i]);
}

void mox__auth_results_put(struct buf *out, const struct mox_auth_results *results)
{
    uint8_t memory[PIECE_MAX];
    struct buf piece = buf_over(memory, sizeof memory);
    struct fold f;
    mox__fold_begin(&f, out, "Authentication-Results");
    mox__auth_value_put(&piece, results->authserv_id, false);
    if (results->version != 1)
        mox__buf_printf(&piece, " %u", results->version);
    fold_words(&f, &piece);
    if (results->method_count == 0)
        mox__buf_text(out, "; none");
    for (size_t i = 0; i < results->method_count; i++) {
        mox__buf_byte(out, ';'); /* column 77 at most: RFC 5322 §2.1.1 wants 78 */
        mox__fold_line(&f);
        put_method(&f, &piece, &results->methods[i]);
    }
    mox__fold_end(&f);
}

int mox_auth_results_write(char **out, const struct mox_env *env,
                           const struct mox_auth_results *results)
{
    struct buf field;
    mox__buf_init(&field, env, FIELD_MAX);
    mox__auth_results_put(&field, results);
    mox__buf_byte(&field, '\0');
    if (field.failed) {
        mox__buf_free(&field);
        *out = NULL;
        return MOX_ENOMEM;
    }
    *out = (char *)field.data;
    return MOX_OK;
}
