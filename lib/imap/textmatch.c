/* SPDX-License-Identifier: MIT */
#include "imap/textmatch.h"

#ifdef MOX_HAVE_IDN
#include <unicase.h>
#endif

#include <mox/error.h>

#include "base/text.h"

/* Text is put into lower case in portions that stay in the fastest cache. */
#define PORTION 2048
/* Lower case takes at most 3 bytes where the original takes 2 (U+023A), so half as much again. */
#define FOLDED_MAX (PORTION + PORTION / 2 + 4)

/* The length that a character's first byte announces; 1 for what cannot start one. */
static size_t char_len(uint8_t first)
{
    if (first < 0xC2 || first > 0xF4)
        return 1;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

#ifdef MOX_HAVE_IDN
static uint32_t decode(const uint8_t *at, size_t len)
{
    uint32_t c = at[0] & (0x7FU >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (at[i] & 0x3FU);
    return c;
}

static size_t encode(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

/* Puts one well-formed character of `len` bytes into lower case; returns the bytes written. */
static size_t fold_char(uint8_t *out, const uint8_t *at, size_t len)
{
    const uint32_t c = decode(at, len);
    const uint32_t lower = uc_tolower(c);
    if (lower != c)
        return encode(out, lower);
    memcpy(out, at, len);
    return len;
}
#else
static size_t fold_char(uint8_t *out, const uint8_t *at, size_t len)
{
    memcpy(out, at, len);
    return len;
}
#endif

static bool is_whole(const uint8_t *at, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return false;
    }
    return len > 1;
}

/* The ASCII at the start of text into lower case, eight bytes at a time: bit 7 of a byte's lane says
 * first that it is at least 'A', then that it is not above 'Z'. Returns the bytes written. */
static size_t fold_ascii(uint8_t *out, struct mox_slice in)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
    size_t at = 0;
    for (; in.len - at >= 8; at += 8) {
        uint64_t w;
        memcpy(&w, in.data + at, sizeof w);
        if ((w & high) != 0)
            break;
        uint64_t upper = (w + ones * (0x80 - 'A')) & ~(w + ones * (0x7f - 'Z')) & high;
        w += upper >> 2; /* 0x20, from 'A' to 'a' */
        memcpy(out + at, &w, sizeof w);
    }
    return at;
}

/* Puts text into lower case; `out` has room for half as much again. Returns the bytes written;
 * *used stops in front of a character that is not complete. */
static size_t fold(uint8_t *out, struct mox_slice in, size_t *used)
{
    size_t written = 0, at = 0;
    while (at < in.len) {
        const uint8_t c = in.data[at];
        if (c < 0x80) {
            const size_t len = fold_ascii(out + written, slice_from(in, at));
            written += len;
            at += len;
            if (len == 0)
                out[written++] = to_lower(in.data[at++]);
            continue;
        }
        const size_t len = char_len(c);
        if (len > in.len - at)
            break;
        const bool whole = is_whole(in.data + at, len);
        if (whole)
            written += fold_char(out + written, in.data + at, len);
        else
            out[written++] = c; /* not UTF-8: stands for itself */
        at += whole ? len : 1;
    }
    *used = at;
    return written;
}

/* back[n]: the length of the longest proper prefix of the needle that ends its first n bytes. */
static void fill_back(uint32_t *back, const uint8_t *text, size_t len)
{
    uint32_t k = 0;
    for (size_t i = 1; i < len; i++) {
        while (k > 0 && text[i] != text[k])
            k = back[k];
        if (text[i] == text[k])
            k++;
        back[i + 1] = k;
    }
}

int mox__needle_init(struct needle *out, struct arena *a, struct mox_slice text)
{
    if (text.len > UINT32_MAX / 2)
        return MOX_ENOMEM;
    uint8_t *folded = arena_new(a, uint8_t, text.len + text.len / 2 + 4);
    if (folded == NULL)
        return MOX_ENOMEM;
    size_t used = 0;
    size_t len = fold(folded, text, &used);
    memcpy(folded + len, text.data + used, text.len - used); /* a cut character stands for itself */
    len += text.len - used;

    uint32_t *back = arena_new(a, uint32_t, len + 1);
    if (back == NULL)
        return MOX_ENOMEM;
    fill_back(back, folded, len);
    *out = (struct needle){.text = folded, .back = back, .len = len};
    return MOX_OK;
}

/* Shows lower-case text to one needle. */
static bool run(struct needle_match *m, const uint8_t *at, const uint8_t *end)
{
    const struct needle *n = m->needle;
    size_t k = m->matched;
    while (at < end) {
        if (k == 0) { /* far from any match, which is nearly always, the C library is fastest */
            at = memchr(at, n->text[0], (size_t)(end - at));
            if (at == NULL)
                break;
            k = 1;
            at++;
        } else if (*at == n->text[k]) {
            k++;
            at++;
        } else {
            k = n->back[k];
            continue;
        }
        if (k == n->len)
            return true;
    }
    m->matched = k;
    return false;
}

static void show(struct text_scan *s, const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < s->count; i++) {
        struct needle_match *m = &s->matches[i];
        if (m->found || m->paused || !run(m, text, text + len))
            continue;
        m->found = true;
        s->open--;
    }
}

void mox__text_scan_resume(struct text_scan *s, struct needle_match *matches, size_t count)
{
    *s = (struct text_scan){.matches = matches, .count = count};
    for (size_t i = 0; i < count; i++) {
        if (matches[i].needle->len == 0)
            matches[i].found = true;
        s->open += !matches[i].found && !matches[i].paused;
    }
}

void mox__text_scan_begin(struct text_scan *s, struct needle_match *matches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        matches[i].matched = 0;
    mox__text_scan_resume(s, matches, count);
}

/* Joins the character that the last piece cut with its other bytes. */
static struct mox_slice finish_char(struct text_scan *s, struct mox_slice piece)
{
    while (s->rest_len > 0 && piece.len > 0) {
        uint8_t folded[8];
        size_t used = 0, take = char_len(s->rest[0]) - s->rest_len;
        if (take > piece.len)
            take = piece.len;
        memcpy(s->rest + s->rest_len, piece.data, take);
        s->rest_len += take;
        piece = slice_from(piece, take);
        show(s, folded, fold(folded, slice(s->rest, s->rest_len), &used));
        s->rest_len -= used;
        memmove(s->rest, s->rest + used, s->rest_len);
    }
    return piece;
}

bool mox__text_scan_feed(struct text_scan *s, struct mox_slice piece)
{
    uint8_t folded[FOLDED_MAX];
    if (s->rest_len > 0)
        piece = finish_char(s, piece);
    while (piece.len > 0 && s->open > 0) {
        size_t used = 0;
        const size_t portion = piece.len < PORTION ? piece.len : PORTION;
        const size_t len = fold(folded, slice(piece.data, portion), &used);
        show(s, folded, len);
        if (used == 0) { /* a character cut by the end of the piece */
            s->rest_len = piece.len;
            memcpy(s->rest, piece.data, piece.len);
            break;
        }
        piece = slice_from(piece, used);
    }
    return s->open > 0;
}

void mox__text_scan_break(struct text_scan *s)
{
    for (size_t i = 0; i < s->count; i++)
        s->matches[i].matched = 0;
    s->rest_len = 0;
}
