/* SPDX-License-Identifier: MIT */
#include "mailauth/spf_macro.h"

#include <stdio.h>

#include "base/text.h"

/* "%{" letter [digits] ["r"] [delimiters] "}" */
struct macro {
    uint8_t letter;  /* lower case */
    bool escape;     /* it was upper case: URL-escape (§7.3) */
    unsigned labels; /* how many on the right are kept; 0: all */
    bool reverse;
    struct mox_slice delimiters; /* empty: "." */
    size_t len;                  /* of all of it */
};

/* Labels of what a macro stands for: a localpart of 128 bytes, a name of 253, or 32 nibbles. */
#define PARTS_MAX 256
/* Macros of a domain-spec. A name has no more labels (RFC 1035 §2.3.4), so what further ones stand for would be
 * dropped again (§7.3); but a record of 64 KiB holds 12,000, and each takes a microsecond in each round. */
#define MACROS_MAX 127
/* What a domain-spec may expand to before it is cut; each macro gives at most a sender. Explanations are cut
 * by whoever made the buffer. */
#define NAME_ROOM 65536

static bool is_delimiter(uint8_t c)
{
    return c != '\0' && strchr(".-+,/_=", c) != NULL;
}

/* The macro at the begin of the text. */
static bool read_macro(struct mox_slice s, struct macro *m)
{
    size_t at = 3;
    if (s.len < 4 || s.data[0] != '%' || s.data[1] != '{' || s.data[2] == '\0' ||
        strchr("slodiphcrtv", to_lower(s.data[2])) == NULL)
        return false;
    *m = (struct macro){.letter = to_lower(s.data[2]), .escape = s.data[2] < 'a'};
    bool digits = false;
    for (; at < s.len && is_digit(s.data[at]); at++) {
        digits = true;
        if (m->labels < 1000)
            m->labels = m->labels * 10 + (unsigned)(s.data[at] - '0');
    }
    if (digits && m->labels == 0)
        return false; /* §7.3: digits are not zero */
    if (at < s.len && to_lower(s.data[at]) == 'r') {
        m->reverse = true;
        at++;
    }
    size_t start = at;
    while (at < s.len && is_delimiter(s.data[at]))
        at++;
    m->delimiters = slice(s.data + start, at - start);
    m->len = at + 1;
    return at < s.len && s.data[at] == '}';
}

/* The bytes of the macro-expand or macro-literal at the begin of the text, 0 when there is none. */
static size_t piece_at(struct mox_slice s, bool exp)
{
    struct macro m;
    if (s.data[0] != '%')
        return s.data[0] > ' ' && s.data[0] < 0x7f ? 1 : 0;
    if (s.len > 1 && (s.data[1] == '%' || s.data[1] == '_' || s.data[1] == '-'))
        return 2;
    if (!read_macro(s, &m) || (!exp && (m.letter == 'c' || m.letter == 'r' || m.letter == 't')))
        return 0;
    return m.len;
}

bool mox__spf_macro_has_p(struct mox_slice text)
{
    struct macro m;
    for (size_t len; text.len > 0; text = slice_from(text, len)) {
        if (read_macro(text, &m) && m.letter == 'p')
            return true;
        len = piece_at(text, true);
        len = len > 0 ? len : 1;
    }
    return false;
}

/* Spaces are fine in what an explanation's record says (§6.2), not in terms: those are cut at them. */
bool mox__spf_is_macro_string(struct mox_slice text, bool exp)
{
    for (size_t len; text.len > 0; text = slice_from(text, len)) {
        len = exp && text.data[0] == ' ' ? 1 : piece_at(text, exp);
        if (len == 0)
            return false;
    }
    return true;
}

static bool is_alnum(uint8_t c)
{
    return is_alpha(c) || is_digit(c);
}

/* Letters, digits and inner hyphens, not digits alone (§12 toplabel). */
static bool is_top_label(struct mox_slice s)
{
    bool digits_only = true;
    if (s.len == 0 || !is_alnum(s.data[0]) || !is_alnum(s.data[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alnum(s.data[i]) && s.data[i] != '-')
            return false;
        digits_only = digits_only && is_digit(s.data[i]);
    }
    return !digits_only;
}

bool mox__spf_is_domain_spec(struct mox_slice text)
{
    size_t literal = 0; /* bytes since the last macro */
    unsigned macros = 0;
    struct mox_slice rest = text;
    for (size_t len; rest.len > 0; rest = slice_from(rest, len)) {
        len = piece_at(rest, false);
        macros += len > 1;
        if (len == 0 || macros > MACROS_MAX)
            return false;
        literal = len > 1 ? 0 : literal + 1;
    }
    if (text.len == 0 || literal == 0)
        return macros > 0;
    struct mox_slice end = slice_from(text, text.len - literal);
    if (end.data[end.len - 1] == '.')
        end.len--;
    const uint8_t *dot = end.len == 0 ? NULL : memrchr(end.data, '.', end.len);
    return dot != NULL && is_top_label(slice_from(end, (size_t)(dot - end.data) + 1));
}

/* ---- expanding ---- */

static const char nibbles[] = "0123456789ABCDEF";

/* 192.0.2.1, or the 32 nibbles of an IPv6 address with dots (§7.3 i). */
static void put_ip(struct buf *out, const struct ip *ip)
{
    char text[IP_TEXT_MAX];
    if (!ip->v6) {
        mox__ip_format(ip, text);
        mox__buf_text(out, text);
        return;
    }
    for (size_t i = 0; i < sizeof ip->bytes; i++) {
        mox__buf_byte(out, (uint8_t)nibbles[ip->bytes[i] >> 4]);
        mox__buf_byte(out, '.');
        mox__buf_byte(out, (uint8_t)nibbles[ip->bytes[i] & 15]);
        if (i + 1 < sizeof ip->bytes)
            mox__buf_byte(out, '.');
    }
}

static void put_value(struct buf *out, uint8_t letter, const struct spf_macros *m)
{
    char text[IP_TEXT_MAX];
    switch (letter) {
    case 's':
        mox__buf_printf(out, "%s@%s", m->sender_localpart, m->sender_domain);
        break;
    case 'l':
        mox__buf_text(out, m->sender_localpart);
        break;
    case 'o':
        mox__buf_text(out, m->sender_domain);
        break;
    case 'd':
        mox__buf_text(out, m->domain);
        break;
    case 'i':
        put_ip(out, m->ip);
        break;
    case 'p':
        mox__buf_text(out, m->validated);
        break;
    case 'v':
        mox__buf_text(out, m->ip->v6 ? "ip6" : "in-addr");
        break;
    case 'h':
        mox__buf_text(out, m->helo);
        break;
    case 'c':
        mox__ip_format(m->ip, text);
        mox__buf_text(out, text);
        break;
    case 'r':
        mox__buf_text(out, m->receiver);
        break;
    default:
        mox__buf_printf(out, "%lld", (long long)(m->now_us / 1000000));
        break;
    }
}

/* Unreserved characters stay (RFC 3986 §2.3). */
static void put_part(struct buf *out, struct mox_slice part, bool escape)
{
    for (size_t i = 0; i < part.len; i++) {
        uint8_t c = part.data[i];
        if (!escape || is_alnum(c) || (c != '\0' && strchr("-._~", c) != NULL))
            mox__buf_byte(out, c);
        else
            mox__buf_printf(out, "%%%02X", c);
    }
}

static size_t split(struct mox_slice value, struct mox_slice delimiters,
                    struct mox_slice parts[PARTS_MAX])
{
    size_t count = 0, start = 0;
    if (delimiters.len == 0)
        delimiters = slice_of(".");
    for (size_t i = 0; i <= value.len && count < PARTS_MAX; i++)
        if (i == value.len || memchr(delimiters.data, value.data[i], delimiters.len) != NULL) {
            parts[count++] = slice(value.data + start, i - start);
            start = i + 1;
        }
    return count;
}

/* Cut at its delimiters, perhaps turned round, the labels on the right kept, with dots between. */
static void put_macro(struct buf *out, const struct macro *m, const struct spf_macros *macros)
{
    uint8_t memory[1024];
    struct mox_slice parts[PARTS_MAX];
    struct buf value = buf_over(memory, sizeof memory);
    put_value(&value, m->letter, macros);
    size_t count = split(slice(value.data, value.len), m->delimiters, parts);
    size_t skip = m->labels > 0 && m->labels < count ? count - m->labels : 0;
    for (size_t i = skip; i < count; i++) {
        if (i > skip)
            mox__buf_byte(out, '.');
        put_part(out, parts[m->reverse ? count - 1 - i : i], m->escape);
    }
}

void mox__spf_expand(struct buf *out, struct mox_slice text, const struct spf_macros *macros)
{
    struct macro m;
    for (size_t len; text.len > 0 && !out->failed; text = slice_from(text, len)) {
        len = 2;
        if (text.data[0] != '%') {
            mox__buf_byte(out, text.data[0]);
            len = 1;
        } else if (read_macro(text, &m)) {
            put_macro(out, &m, macros);
            len = m.len;
        } else if (text.len > 1 && text.data[1] == '_') {
            mox__buf_byte(out, ' ');
        } else if (text.len > 1 && text.data[1] == '-') {
            mox__buf_text(out, "%20");
        } else {
            mox__buf_byte(out, '%');
            len = text.len > 1 ? 2 : 1;
        }
    }
}

void mox__spf_expand_domain(char out[MOX_DOMAIN_MAX + 1], struct mox_slice text,
                            const struct spf_macros *m)
{
    uint8_t memory[NAME_ROOM];
    struct buf name = buf_over(memory, sizeof memory);
    mox__spf_expand(&name, text, m);
    struct mox_slice s = slice(name.data, name.failed ? 0 : name.len);
    if (s.len > 0 && s.data[s.len - 1] == '.')
        s.len--;
    while (s.len > MOX_DOMAIN_MAX) {
        const uint8_t *dot = memchr(s.data, '.', s.len);
        s = dot == NULL ? slice(NULL, 0) : slice_from(s, (size_t)(dot - s.data) + 1);
    }
    if (s.len > 0)
        memcpy(out, s.data, s.len);
    out[s.len] = '\0';
}
