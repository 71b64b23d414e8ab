/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#ifdef MOX_HAVE_IDN
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>
#endif

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "sasl/credentials.h"

/* How much longer a text in UTF-8 can become in NFC (UAX #15, table 4). */
#define NFC_GROWTH 3

static int refuse(struct mox_error *err, const char *why)
{
    return mox__fail(err, MOX_EDENIED, "the password %s; choose another one", why);
}

#ifdef MOX_HAVE_IDN

/* RFC 8264 §9.6 to §9.13 and §9.18, as far as FreeformClass (§4.3) differs by them. */

static bool in(ucs4_t c, ucs4_t first, ucs4_t last)
{
    return c >= first && c <= last;
}

static bool is_old_hangul(ucs4_t c)
{
    return in(c, 0x1100, 0x11ff) || in(c, 0xa960, 0xa97c) || in(c, 0xd7b0, 0xd7c6) ||
           in(c, 0xd7cb, 0xd7fb);
}

static bool is_refused_exception(ucs4_t c)
{
    return c == 0x640 || c == 0x7fa || in(c, 0x302e, 0x302f) || in(c, 0x3031, 0x3035) ||
           c == 0x303b;
}

static bool has_valid_category(ucs4_t c)
{
    const uint32_t valid = UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N |
                           UC_CATEGORY_MASK_Zs | UC_CATEGORY_MASK_S | UC_CATEGORY_MASK_P;
    return uc_is_general_category_withtable(c, valid);
}

/* A character and where it stands. */
struct place {
    const uint8_t *start, *at, *next, *end; /* of the text, the character, the next one */
};

static ucs4_t before(const struct place *p)
{
    ucs4_t c = 0;
    return u8_prev(&c, p->at, p->start) == NULL ? 0 : c;
}

static ucs4_t after(const struct place *p)
{
    ucs4_t c = 0;
    if (p->next < p->end)
        (void)u8_mbtouc(&c, p->next, (size_t)(p->end - p->next));
    return c;
}

static bool is_of(ucs4_t c, const char *script)
{
    return c != 0 && uc_is_script(c, uc_script_byname(script));
}

/* RFC 5892 A.1: between letters that join, as Persian and Urdu write it; marks do not count. */
static bool stands_between_joining(const struct place *p)
{
    ucs4_t c = 0;
    int left = UC_JOINING_TYPE_T, right = UC_JOINING_TYPE_T;
    for (const uint8_t *at = p->at; left == UC_JOINING_TYPE_T;) {
        at = u8_prev(&c, at, p->start);
        left = at == NULL ? UC_JOINING_TYPE_U : uc_joining_type(c);
    }
    for (const uint8_t *at = p->next; right == UC_JOINING_TYPE_T;) {
        if (at < p->end)
            at += u8_mbtouc(&c, at, (size_t)(p->end - at));
        else
            c = 0;
        right = c == 0 ? UC_JOINING_TYPE_U : uc_joining_type(c);
    }
    return (left == UC_JOINING_TYPE_L || left == UC_JOINING_TYPE_D) &&
           (right == UC_JOINING_TYPE_R || right == UC_JOINING_TYPE_D);
}

/* RFC 5892 A.7 */
static bool has_japanese_or_han(const struct place *p)
{
    ucs4_t c = 0;
    for (const uint8_t *at = p->start; at < p->end;) {
        at += u8_mbtouc(&c, at, (size_t)(p->end - at));
        if (is_of(c, "Hiragana") || is_of(c, "Katakana") || is_of(c, "Han"))
            return true;
    }
    return false;
}

static bool has_digits_from(const struct place *p, ucs4_t zero)
{
    ucs4_t c = 0;
    for (const uint8_t *at = p->start; at < p->end;) {
        at += u8_mbtouc(&c, at, (size_t)(p->end - at));
        if (in(c, zero, zero + 9))
            return true;
    }
    return false;
}

/* RFC 5892 appendix A: characters that are fine in certain places only. */
static bool context_allows(ucs4_t c, const struct place *p)
{
    if (c == 0x200c || c == 0x200d) {
        bool virama = before(p) != 0 && uc_combining_class(before(p)) == UC_CCC_VR;
        return virama || (c == 0x200c && stands_between_joining(p));
    }
    if (c == 0xb7)
        return before(p) == 'l' && after(p) == 'l';
    if (c == 0x375)
        return is_of(after(p), "Greek");
    if (c == 0x5f3 || c == 0x5f4)
        return is_of(before(p), "Hebrew");
    if (c == 0x30fb)
        return has_japanese_or_han(p);
    if (in(c, 0x660, 0x669)) /* the two kinds of Arabic digits are not mixed */
        return !has_digits_from(p, 0x6f0);
    return true;
}

static bool is_valid(ucs4_t c, const struct place *p)
{
    if (in(c, 0x20, 0x7e))
        return true;
    if (c == 0x200c || c == 0x200d)
        return context_allows(c, p);
    if (is_refused_exception(c) || is_old_hangul(c) ||
        uc_is_property_default_ignorable_code_point(c) || uc_is_property_not_a_character(c))
        return false;
    return has_valid_category(c) && context_allows(c, p);
}

static bool all_valid(const uint8_t *s, size_t len)
{
    struct place p = {.start = s, .next = s, .end = s + len};
    ucs4_t c = 0;
    while (p.next < p.end) {
        p.at = p.next;
        p.next += u8_mbtouc(&c, p.at, (size_t)(p.end - p.at));
        if (!is_valid(c, &p))
            return false;
    }
    return true;
}

/* RFC 8265 §4.2.2 rule 2: spaces of other scripts become U+0020. */
static void map_spaces(struct buf *out, struct mox_slice in_text)
{
    ucs4_t c = 0;
    for (size_t at = 0; at < in_text.len;) {
        int n = u8_mbtouc(&c, in_text.data + at, in_text.len - at);
        if (c > 0x7f && uc_is_general_category(c, UC_SPACE_SEPARATOR))
            mox__buf_byte(out, ' ');
        else
            mox__buf_append(out, in_text.data + at, (size_t)n);
        at += (size_t)n;
    }
}

/* The room of both steps is there from the start: what moves leaves its old place unwiped. */
static int prepare(struct buf *out, struct mox_slice text, struct mox_error *err)
{
    uint8_t spaced[CREDENTIAL_PASSWORD_MAX], room[CREDENTIAL_PASSWORD_MAX * NFC_GROWTH];
    struct buf mapped = buf_over(spaced, sizeof spaced);
    map_spaces(&mapped, text);
    size_t len = sizeof room;
    uint8_t *normal = u8_normalize(UNINORM_NFC, mapped.data, mapped.len, room, &len);
    int rc = MOX_OK;
    if (normal == NULL)
        rc = mox__fail(err, MOX_ENOMEM, "prepare a password: out of memory");
    else if (!all_valid(normal, len))
        rc = refuse(err, "has characters that passwords cannot have");
    else
        mox__buf_append(out, normal, len);
    if (normal != NULL && normal != room) {
        mox__wipe(normal, len);
        free(normal); /* the library's own allocation */
    }
    mox__wipe(room, sizeof room);
    mox__wipe(spaced, sizeof spaced);
    return rc;
}

#else

static int prepare(struct buf *out, struct mox_slice text, struct mox_error *err)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e)
            return refuse(err, "has characters outside of ASCII, which this build does not know");
    mox__buf_slice(out, text);
    return MOX_OK;
}

#endif

int mox__password_prepare(struct buf *out, const char *password, struct mox_error *err)
{
    struct mox_slice text = slice_of(password);
    if (text.len == 0)
        return refuse(err, "is empty");
    if (text.len > CREDENTIAL_PASSWORD_MAX)
        return refuse(err, "has more than 1024 bytes");
    if (!mox__slice_is_utf8(text))
        return refuse(err, "is not UTF-8");
    int rc = prepare(out, text, err);
    if (rc == MOX_OK && out->failed)
        rc = mox__fail(err, MOX_ENOMEM, "prepare a password: out of memory");
    return rc;
}
