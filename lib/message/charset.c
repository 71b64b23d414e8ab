/* SPDX-License-Identifier: MIT */
#include "message/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/text.h"

#define PIECE 4096

static const char replacement[] = "\xef\xbf\xbd";

/* What mail means by a name, where that is more than the name says (as in WHATWG's Encoding). */
static const struct {
    const char *name, *meant;
} supersets[] = {
    {"iso-8859-1", "WINDOWS-1252"}, {"latin1", "WINDOWS-1252"},
    {"gb2312", "GB18030"},          {"gbk", "GB18030"},
    {"x-gbk", "GB18030"},           {"big5", "BIG5-HKSCS"},
    {"ks_c_5601-1987", "CP949"},    {"euc-kr", "CP949"},
    {"shift_jis", "CP932"},         {"x-sjis", "CP932"},
    {"iso-8859-9", "WINDOWS-1254"}, {"tis-620", "CP874"},
    {"iso-8859-8-i", "ISO-8859-8"}, {"iso-2022-jp", "ISO-2022-JP-2"},
};

static bool is_utf8_name(struct mox_slice name)
{
    return name.len == 0 || mox__slice_is_nocase(name, "utf-8") ||
           mox__slice_is_nocase(name, "utf8") || mox__slice_is_nocase(name, "us-ascii") ||
           mox__slice_is_nocase(name, "ascii");
}

/* Copies a name that is safe to hand to iconv_open(), where "/" starts options; or false. */
static bool copy_name(struct mox_slice name, char out[CHARSET_NAME_MAX + 1])
{
    if (name.len > CHARSET_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if (!is_alpha(c) && !is_digit(c) && (c == 0 || strchr("-_.:+", c) == NULL))
            return false;
        out[i] = (char)c;
    }
    out[name.len] = '\0';
    return true;
}

/* Those that most mail is in. windows-1255 and -1258 are not: iconv() holds characters back there, for
 * others to be joined to them. */
static bool is_plain(struct mox_slice name)
{
    if (mox__slice_starts_nocase(name, "iso-8859-") || mox__slice_starts_nocase(name, "koi8-"))
        return true;
    return name.len == 12 && mox__slice_starts_nocase(name, "windows-125") &&
           name.data[11] != '5' && name.data[11] != '8';
}

/* NULL: there is none of that name. */
static iconv_t open_iconv(const char *name)
{
    const char *meant = name;
    for (size_t i = 0; i < sizeof supersets / sizeof supersets[0]; i++)
        if (mox__slice_is_nocase(slice_of(name), supersets[i].name))
            meant = supersets[i].meant;
    iconv_t cd = iconv_open("UTF-8", meant);
    if (cd == (iconv_t)-1 && meant != name)
        cd = iconv_open("UTF-8", name);
    return cd == (iconv_t)-1 ? NULL : cd;
}

void mox__charset_open(struct charset *c, struct mox_slice name)
{
    *c = (struct charset){.iconv = NULL};
    name = mox__slice_trim(name);
    if (is_utf8_name(name) || !copy_name(name, c->name))
        return;
    c->is_plain = is_plain(name);
    if (!c->is_plain)
        c->iconv = open_iconv(c->name);
}

void mox__charset_close(struct charset *c)
{
    if (c->iconv != NULL)
        (void)iconv_close(c->iconv);
    c->iconv = NULL;
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

/* Puts U+FFFD for what iconv() took for characters though they are none: beyond U+10FFFF glibc has
 * some, of four bytes and more. Returns the length. */
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
static int pass_iconv(iconv_t cd, struct mox_slice *s, bool last, mox__sink *sink, void *user)
{
    while (s->len > 0) {
        char out[PIECE + sizeof replacement], *to = out;
        char *from = (char *)(uintptr_t)s->data; /* iconv() only reads it */
        size_t room = PIECE, left = s->len;
        bool done = iconv(cd, &from, &left, &to, &room) != (size_t)-1;
        int problem = done ? 0 : errno;
        *s = slice_from(*s, s->len - left);
        to = out + mend_utf8(out, (size_t)(to - out));
        bool bad = problem == EILSEQ || (problem == EINVAL && last);
        if (bad) {
            memcpy(to, replacement, sizeof replacement - 1);
            to += sizeof replacement - 1;
            /* Some converters have stepped over the wrong byte already, and over the last one too. */
            *s = slice_from(*s, problem == EINVAL || s->len == 0 ? s->len : 1);
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
            c->iconv = open_iconv(c->name);
        c->is_plain = c->iconv != NULL;
        if (!c->is_plain)
            return MOX_OK;
        struct mox_slice others = slice(s->data, other_run(*s));
        *s = slice_from(*s, others.len);
        rc = pass_iconv(c->iconv, &others, true, sink, user);
    }
    return rc;
}

static int pass(struct charset *c, struct mox_slice *s, bool last, mox__sink *sink, void *user)
{
    const int rc = c->is_plain ? pass_plain(c, s, sink, user) : MOX_OK;
    if (rc != MOX_OK || s->len == 0)
        return rc;
    return c->iconv != NULL ? pass_iconv(c->iconv, s, last, sink, user)
                            : pass_utf8(s, last, sink, user);
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

void mox__charset_to_utf8(struct buf *out, struct mox_slice name, struct mox_slice text)
{
    struct charset c;
    mox__charset_open(&c, name);
    if (mox__charset_convert(&c, text, append, out) == MOX_OK)
        (void)mox__charset_finish(&c, append, out);
    mox__charset_close(&c);
}
