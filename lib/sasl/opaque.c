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

/* RFC 5892 appendix A: characters that are fine between certain others only. */
static bool context_allows(ucs4_t c, ucs4_t before, ucs4_t after)
{
    if (c == 0x200c || c == 0x200d)
        return before != 0 && uc_combining_class(before) == UC_CCC_VR;
    if (c == 0xb7)
        return before == 'l' && after == 'l';
    if (c == 0x375)
        return in(after, 0x370, 0x3ff) || in(after, 0x1f00, 0x1fff);
    if (c == 0x5f3 || c == 0x5f4)
        return in(before, 0x591, 0x5f4);
    return true;
}

static bool is_valid(ucs4_t c, ucs4_t before, ucs4_t after)
{
    if (in(c, 0x20, 0x7e))
        return true;
    if (c == 0x200c || c == 0x200d)
        return context_allows(c, before, after);
    if (is_refused_exception(c) || is_old_hangul(c) ||
        uc_is_property_default_ignorable_code_point(c) || uc_is_property_not_a_character(c))
        return false;
    return has_valid_category(c) && context_allows(c, before, after);
}

/* Characters of one string; the two kinds of Arabic digits are not mixed (RFC 5892 A.8, A.9). */
static bool all_valid(const uint8_t *s, size_t len)
{
    ucs4_t before = 0, c = 0, after = 0;
    bool arabic = false, extended = false;
    for (size_t at = 0; at < len;) {
        at += (size_t)u8_mbtouc(&c, s + at, len - at);
        after = 0;
        if (at < len)
            (void)u8_mbtouc(&after, s + at, len - at);
        arabic = arabic || in(c, 0x660, 0x669);
        extended = extended || in(c, 0x6f0, 0x6f9);
        if (!is_valid(c, before, after))
            return false;
        before = c;
    }
    return !(arabic && extended);
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

static int prepare(struct buf *out, struct mox_slice text, struct mox_error *err)
{
    struct buf mapped;
    mox__buf_init(&mapped, out->env, CREDENTIAL_PASSWORD_MAX);
    map_spaces(&mapped, text);
    size_t len = 0;
    uint8_t *normal =
        mapped.failed ? NULL : u8_normalize(UNINORM_NFC, mapped.data, mapped.len, NULL, &len);
    int rc = MOX_OK;
    if (normal == NULL) {
        rc = mox__fail(err, MOX_ENOMEM, "prepare a password: out of memory");
    } else if (!all_valid(normal, len)) {
        rc = refuse(err, "has characters that passwords cannot have");
    } else {
        mox__buf_append(out, normal, len);
    }
    if (normal != NULL)
        mox__wipe(normal, len);
    free(normal);
    if (mapped.data != NULL)
        mox__wipe(mapped.data, mapped.len);
    mox__buf_free(&mapped);
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
