/* SPDX-License-Identifier: MIT */
#include "message/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/text.h"
#include "message/charset_names.h"

#define PIECE 4096

static const char replacement[] = "\xef\xbf\xbd";

/* Those that most mail is in. windows-1255 and -1258 are not: iconv() holds characters back there, for
 * others to be joined to them. */
static bool is_plain(const char *converter)
{
    const struct mox_slice name = slice_of(converter);
    if (mox__slice_starts_nocase(name, "ISO-8859-") || mox__slice_starts_nocase(name, "KOI8-"))
        return true;
    return name.len == 12 && mox__slice_starts_nocase(name, "WINDOWS-125") &&
           name.data[11] != '5' && name.data[11] != '8';
}

/* Of how many bytes at least a character is, and a wrong one. */
static uint8_t unit_of(const char *converter)
{
    if (mox__slice_starts_nocase(slice_of(converter), "UTF-32"))
        return 4;
    return mox__slice_starts_nocase(slice_of(converter), "UTF-16") ? 2 : 1;
}

static bool is_by_mark(const char *converter)
{
    return strcmp(converter, "UTF-16") == 0 || strcmp(converter, "UTF-32") == 0;
}

void mox__charset_open(struct charset *c, struct charset_pool *pool, struct mox_slice name)
{
    *c = (struct charset){.pool = pool, .converter = mox__charset_converter(mox__slice_trim(name))};
    if (c->converter == NULL)
        return;
    c->unit = unit_of(c->converter);
    c->is_plain = is_plain(c->converter);
    c->by_mark = is_by_mark(c->converter);
    if (!c->is_plain && !c->by_mark)
        c->iconv = mox__charset_pool_take(pool, c->converter);
}

/* The length of the well-formed prefix of s; *cut says that s ends within a character behind it. */
static size_t utf8_prefix(struct mox_slice s, bool *cut)
{
    size_t at = 0;
    *cut = false;
    while (at < s.len) {
        uint64_t word;
        uint8_t c = s.data[at];
        if (s.len - at >= sizeof word) {
            memcpy(&word, s.data + at, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof word;
                continue;
            }
        }
        size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0x80 ? 2 : 1;
        if (len > s.len - at) {
            *cut = c >= 0xc2 && c <= 0xf4;
            break;
        }
        if (!mox__slice_is_utf8(slice(s.data + at, len)))
            break;
        at += len;
    }
    return at;
}

/* Gives UTF-8 on as it is, and another byte as the character of its number. Leaves a character that
 * is cut, unless nothing follows. */
static int pass_utf8(struct mox_slice *s, bool last, mox__sink *sink, void *user)
{
    while (s->len > 0) {
        bool cut;
        size_t good = utf8_prefix(*s, &cut);
        int rc = good > 0 ? sink(user, slice(s->data, good)) : MOX_OK;
        *s = slice_from(*s, good);
        if (rc != MOX_OK || s->len == 0 || (cut && !last))
            return rc;
        const uint8_t two[2] = {(uint8_t)(0xc0 | s->data[0] >> 6),
                                (uint8_t)(0x80 | (s->data[0] & 0x3f))};
        rc = sink(user, slice(two, sizeof two));
        if (rc != MOX_OK)
            return rc;
        *s = slice_from(*s, 1);
    }
    return MOX_OK;
}

/* Puts U+FFFD for what iconv() took for characters though they are none. The converters that may be opened
 * do not with glibc 2.36, but some of its others do: what callers are promised does not rest on it. Returns
 * the length. */
static size_t mend_utf8(char *out, size_t len)
{
    size_t to = 0;
    for (size_t at = 0; at < len;) {
        bool cut;
        size_t good = utf8_prefix(slice(out + at, len - at), &cut);
        memmove(out + to, out + at, good);
        to += good;
        at += good;
        if (at == len)
            break;
        size_t bad = 1;
        while (at + bad < len && ((uint8_t)out[at + bad] & 0xc0) == 0x80)
            bad++;
        size_t mark = bad < sizeof replacement - 1 ? 1 : sizeof replacement - 1;
        memcpy(out + to, mark == 1 ? "?" : replacement, mark);
        to += mark;
        at += bad;
    }
    return to;
}

/* The same by iconv(). */
static int pass_iconv(struct charset *c, struct mox_slice *s, bool last, mox__sink *sink,
                      void *user)
{
    while (s->len > 0) {
        char out[PIECE + sizeof replacement], *to = out;
        char *from = (char *)(uintptr_t)s->data; /* iconv() only reads it */
        size_t room = PIECE, left = s->len;
        bool done = iconv(c->iconv, &from, &left, &to, &room) != (size_t)-1;
        int problem = done ? 0 : errno;
        *s = slice_from(*s, s->len - left);
        to = out + mend_utf8(out, (size_t)(to - out));
        bool bad = problem == EILSEQ || (problem == EINVAL && last);
        if (bad) {
            memcpy(to, replacement, sizeof replacement - 1);
            to += sizeof replacement - 1;
            /* Some converters have stepped over the wrong byte already, and over the last one too. */
            const bool all = problem == EINVAL || s->len < c->unit;
            *s = slice_from(*s, all ? s->len : c->unit);
        }
        int rc = to > out ? sink(user, slice(out, (size_t)(to - out))) : MOX_OK;
        if (rc != MOX_OK || (problem == EINVAL && !last))
            return rc;
    }
    return MOX_OK;
}

/* How much of s is ASCII, from its start on. */
static size_t ascii_run(struct mox_slice s)
{
    size_t at = 0;
    for (uint64_t word; s.len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, s.data + at, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    while (at < s.len && s.data[at] < 0x80)
        at++;
    return at;
}

#define ASCII_RUN_MIN 16 /* for less it is not worth to stop */

/* How much there is before ASCII follows, if s does not start with it. */
static size_t other_run(struct mox_slice s)
{
    size_t at = 0, ascii = 0;
    while (at < s.len && ascii < ASCII_RUN_MIN)
        ascii = s.data[at++] < 0x80 ? ascii + 1 : 0;
    return at - ascii;
}

/* ASCII goes on as it is, and iconv() is opened only when something else comes. If there is no such charset
 * it is not plain any more, and the rest is left. */
static int pass_plain(struct charset *c, struct mox_slice *s, mox__sink *sink, void *user)
{
    int rc = MOX_OK;
    while (s->len > 0 && rc == MOX_OK) {
        const size_t ascii = ascii_run(*s);
        if (ascii > 0)
            rc = sink(user, slice(s->data, ascii));
        *s = slice_from(*s, ascii);
        if (rc != MOX_OK || s->len == 0)
            return rc;
        if (c->iconv == NULL)
            c->iconv = mox__charset_pool_take(c->pool, c->converter);
        c->is_plain = c->iconv != NULL;
        if (!c->is_plain)
            return MOX_OK;
        struct mox_slice others = slice(s->data, other_run(*s));
        *s = slice_from(*s, others.len);
        rc = pass_iconv(c, &others, true, sink, user);
    }
    return rc;
}

/* The order of bytes, which a mark at the beginning says (RFC 2781 §3.2); without one it is that of nearly
 * all software. A converter that finds it out itself keeps it for the next text. */
static void see_mark(struct charset *c, struct mox_slice *s)
{
    static const uint8_t big[] = {0, 0, 0xfe, 0xff}, little[] = {0xff, 0xfe, 0, 0};
    const bool is_big = s->len >= c->unit && memcmp(s->data, big + 4 - c->unit, c->unit) == 0;
    const bool is_little = s->len >= c->unit && memcmp(s->data, little, c->unit) == 0;
    if (is_big || is_little)
        *s = slice_from(*s, c->unit);
    if (c->unit == 4)
        c->converter = is_big ? "UTF-32BE" : "UTF-32LE";
    else
        c->converter = is_big ? "UTF-16BE" : "UTF-16LE";
    c->iconv = mox__charset_pool_take(c->pool, c->converter);
    c->by_mark = false;
}

static int pass(struct charset *c, struct mox_slice *s, bool last, mox__sink *sink, void *user)
{
    const int rc = c->is_plain ? pass_plain(c, s, sink, user) : MOX_OK;
    if (rc != MOX_OK || s->len == 0 || (c->by_mark && s->len < c->unit && !last))
        return rc;
    if (c->by_mark)
        see_mark(c, s);
    if (s->len == 0)
        return rc;
    return c->iconv != NULL ? pass_iconv(c, s, last, sink, user) : pass_utf8(s, last, sink, user);
}

int mox__charset_convert(struct charset *c, struct mox_slice piece, mox__sink *sink, void *user)
{
    while (c->rest_len > 0 && piece.len > 0) { /* complete the character that was cut */
        c->rest[c->rest_len++] = piece.data[0];
        piece = slice_from(piece, 1);
        struct mox_slice rest = {c->rest, c->rest_len};
        int rc = pass(c, &rest, c->rest_len == sizeof c->rest, sink, user);
        if (rc != MOX_OK)
            return rc;
        memmove(c->rest, rest.data, rest.len);
        c->rest_len = rest.len;
    }
    int rc = pass(c, &piece, false, sink, user);
    if (rc != MOX_OK || piece.len == 0)
        return rc;
    if (piece.len >= sizeof c->rest) /* no charset has such a character */
        return pass(c, &piece, true, sink, user);
    memcpy(c->rest, piece.data, piece.len);
    c->rest_len = piece.len;
    return MOX_OK;
}

int mox__charset_finish(struct charset *c, mox__sink *sink, void *user)
{
    struct mox_slice rest = {c->rest, c->rest_len};
    c->rest_len = 0;
    int rc = pass(c, &rest, true, sink, user);
    if (rc != MOX_OK || c->iconv == NULL)
        return rc;
    char out[64], *to = out; /* what the converter held back */
    size_t room = sizeof out;
    (void)iconv(c->iconv, NULL, NULL, &to, &room);
    return to > out ? sink(user, slice(out, (size_t)(to - out))) : MOX_OK;
}

static int append(void *user, struct mox_slice piece)
{
    struct buf *out = user;
    mox__buf_slice(out, piece);
    return out->failed ? MOX_ENOMEM : MOX_OK;
}

void mox__charset_to_utf8(struct buf *out, struct charset_pool *pool, struct mox_slice name,
                          struct mox_slice text)
{
    struct charset c;
    mox__charset_open(&c, pool, name);
    if (mox__charset_convert(&c, text, append, out) == MOX_OK)
        (void)mox__charset_finish(&c, append, out);
}
