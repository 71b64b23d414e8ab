/* SPDX-License-Identifier: MIT */
#include "message/decode.h"

#include <string.h>

#include "base/base64.h"
#include "base/text.h"

/* Output that waits for the sink. */
struct pieces {
    mox__sink *sink;
    void *user;
    size_t len;
    uint8_t data[DECODE_PIECE_MAX];
};

static int flush(struct pieces *p)
{
    size_t len = p->len;
    p->len = 0;
    return len > 0 ? p->sink(p->user, slice(p->data, len)) : MOX_OK;
}

static int put(struct pieces *p, struct mox_slice s)
{
    while (s.len > 0) {
        size_t len = s.len < sizeof p->data - p->len ? s.len : sizeof p->data - p->len;
        memcpy(p->data + p->len, s.data, len);
        p->len += len;
        s = slice_from(s, len);
        int rc = p->len == sizeof p->data ? flush(p) : MOX_OK;
        if (rc != MOX_OK)
            return rc;
    }
    return MOX_OK;
}

int mox__plain_pieces(struct mox_slice in, mox__sink *sink, void *user)
{
    while (in.len > 0) {
        size_t len = in.len < DECODE_PIECE_MAX ? in.len : DECODE_PIECE_MAX;
        int rc = sink(user, slice(in.data, len));
        if (rc != MOX_OK)
            return rc;
        in = slice_from(in, len);
    }
    return MOX_OK;
}

/* The values of all bytes, -1 for those outside of the alphabet. */
struct alphabet {
    int8_t values[256];
};

static void alphabet_init(struct alphabet *a)
{
    for (unsigned c = 0; c < 256; c++)
        a->values[c] = (int8_t)mox__base64_value((uint8_t)c);
}

/* Up to four characters. */
struct group {
    uint32_t bits;
    unsigned count;
};

/* Decodes whole groups without anything between up to *in's end or until p is nearly full. */
static void put_groups(struct pieces *p, const struct alphabet *a, struct mox_slice *in)
{
    const uint8_t *from = in->data, *end = in->data + in->len;
    uint8_t *to = p->data + p->len, *full = p->data + sizeof p->data - 3;
    for (; end - from >= 4 && to <= full; from += 4, to += 3) {
        int bits =
            a->values[from[0]] | a->values[from[1]] | a->values[from[2]] | a->values[from[3]];
        if (bits < 0)
            break;
        uint32_t group = (uint32_t)a->values[from[0]] << 18 | (uint32_t)a->values[from[1]] << 12 |
                         (uint32_t)a->values[from[2]] << 6 | (uint32_t)a->values[from[3]];
        to[0] = (uint8_t)(group >> 16);
        to[1] = (uint8_t)(group >> 8);
        to[2] = (uint8_t)group;
    }
    *in = slice(from, (size_t)(end - from));
    p->len = (size_t)(to - p->data);
}

/* The bytes that the group has, which is then empty. */
static int put_group(struct pieces *p, struct group *g)
{
    uint32_t bits = g->bits << (6 * (4 - g->count));
    const uint8_t bytes[3] = {(uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits};
    size_t len = g->count * 6 / 8;
    *g = (struct group){0};
    return put(p, slice(bytes, len));
}

/* Padding ends a group, and data may follow it: parts that were encoded one by one are seen. */
int mox__base64_pieces(struct mox_slice in, mox__sink *sink, void *user)
{
    struct pieces p = {.sink = sink, .user = user};
    struct group g = {0};
    struct alphabet a;
    alphabet_init(&a);
    int rc = MOX_OK;
    while (rc == MOX_OK && in.len > 0) {
        if (g.count == 0)
            put_groups(&p, &a, &in);
        if (in.len == 0)
            break;
        int value = a.values[in.data[0]];
        if (value >= 0) {
            g.bits = g.bits << 6 | (uint32_t)value;
            g.count++;
        }
        if (g.count == 4 || (in.data[0] == '=' && g.count > 0))
            rc = put_group(&p, &g);
        in = slice_from(in, 1);
    }
    if (rc == MOX_OK && g.count > 0)
        rc = put_group(&p, &g);
    return rc != MOX_OK ? rc : flush(&p);
}

/* The byte that "=XY" at the start of s stands for, or -1. */
static int hex_byte(struct mox_slice s)
{
    int high = s.len >= 3 ? hex_value(s.data[1]) : -1;
    int low = high >= 0 ? hex_value(s.data[2]) : -1;
    return low >= 0 ? high * 16 + low : -1;
}

/* Without the white space at its end, which transport added (RFC 2045 §6.7, rule 3). */
static struct mox_slice without_trailing_blanks(struct mox_slice s)
{
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* One line without its line end; *soft says that it ended in "=". */
static int put_qp_line(struct pieces *p, struct mox_slice line, bool *soft)
{
    int rc = MOX_OK;
    line = without_trailing_blanks(line);
    *soft = line.len > 0 && line.data[line.len - 1] == '=';
    line.len -= *soft;
    while (rc == MOX_OK && line.len > 0) {
        const uint8_t *sign = memchr(line.data, '=', line.len);
        size_t len = sign == NULL ? line.len : (size_t)(sign - line.data);
        rc = put(p, slice(line.data, len));
        line = slice_from(line, len);
        if (rc != MOX_OK || line.len == 0)
            break;
        int value = hex_byte(line);
        uint8_t byte = value >= 0 ? (uint8_t)value : '=';
        rc = put(p, slice(&byte, 1));
        line = slice_from(line, value >= 0 ? 3 : 1);
    }
    return rc;
}

int mox__qp_pieces(struct mox_slice in, mox__sink *sink, void *user)
{
    struct pieces p = {.sink = sink, .user = user};
    while (in.len > 0) {
        bool soft;
        const uint8_t *lf = memchr(in.data, '\n', in.len);
        size_t next = lf == NULL ? in.len : (size_t)(lf - in.data) + 1;
        size_t len = lf == NULL ? next : next - 1;
        len -= lf != NULL && len > 0 && in.data[len - 1] == '\r';
        int rc = put_qp_line(&p, slice(in.data, len), &soft);
        if (rc == MOX_OK && !soft)
            rc = put(&p, slice(in.data + len, next - len));
        if (rc != MOX_OK)
            return rc;
        in = slice_from(in, next);
    }
    return flush(&p);
}

void mox__q_decode(struct buf *out, struct mox_slice in)
{
    for (size_t i = 0; i < in.len; i++) {
        int value = in.data[i] == '=' ? hex_byte(slice_from(in, i)) : -1;
        mox__buf_byte(out, value >= 0 ? (uint8_t)value : in.data[i] == '_' ? ' ' : in.data[i]);
        i += value >= 0 ? 2 : 0;
    }
}

static int append(void *user, struct mox_slice piece)
{
    struct buf *out = user;
    mox__buf_slice(out, piece);
    return out->failed ? MOX_ENOMEM : MOX_OK;
}

void mox__b_decode(struct buf *out, struct mox_slice in)
{
    (void)mox__base64_pieces(in, append, out);
}
