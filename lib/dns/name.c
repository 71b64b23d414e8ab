/* SPDX-License-Identifier: MIT */
#include <mox/dns.h>

#include <stdio.h>
#include <string.h>

#ifdef MOX_HAVE_IDN
#include <idn2.h>
#endif

#include "base/ip.h"
#include "base/text.h"

#define LABEL_MAX 63 /* RFC 1035 §2.3.4 */

static bool is_label_byte(uint8_t c, unsigned flags)
{
    return is_alpha(c) || is_digit(c) || c == '-' ||
           (c == '_' && (flags & MOX_DOMAIN_UNDERSCORES) != 0);
}

/* Letters, digits and inner hyphens (RFC 1123 §2.1). */
static bool is_label(struct mox_slice label, unsigned flags)
{
    if (label.len == 0 || label.len > LABEL_MAX || label.data[0] == '-' ||
        label.data[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!is_label_byte(label.data[i], flags))
            return false;
    return true;
}

/* Calls for each label; what it returns false for ends the walk. */
static bool all_labels(struct mox_slice name, bool (*test)(struct mox_slice, unsigned),
                       unsigned flags)
{
    for (;;) {
        const uint8_t *dot = name.len == 0 ? NULL : memchr(name.data, '.', name.len);
        size_t len = dot == NULL ? name.len : (size_t)(dot - name.data);
        if (!test(slice(name.data, len), flags))
            return false;
        if (dot == NULL)
            return true;
        name = slice_from(name, len + 1);
    }
}

static bool is_ascii_name(struct mox_slice name, unsigned flags)
{
    return name.len <= MOX_DOMAIN_MAX && all_labels(name, is_label, flags);
}

static bool is_no_a_label(struct mox_slice label, unsigned flags)
{
    (void)flags;
    return !mox__slice_starts_nocase(label, "xn--");
}

static int take_ascii(struct mox_domain *out, struct mox_slice name, unsigned flags)
{
    if (!is_ascii_name(name, flags))
        return MOX_ESYNTAX;
    for (size_t i = 0; i < name.len; i++)
        out->ascii[i] = out->unicode[i] = (char)to_lower(name.data[i]);
    out->ascii[name.len] = out->unicode[name.len] = '\0';
    return MOX_OK;
}

#ifdef MOX_HAVE_IDN
static int status_of(int idn)
{
    return idn == IDN2_OK ? MOX_OK : idn == IDN2_MALLOC ? MOX_ENOMEM : MOX_ESYNTAX;
}

static int keep(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len >= size)
        return MOX_ESYNTAX;
    memcpy(out, text, len + 1);
    return MOX_OK;
}

/* Whether the ASCII characters of a U-label are letters, digits and hyphens. libidn2 has a flag for it,
 * which drops the others silently (2.3.3). Underscores are for labels that are all ASCII. */
static bool has_std3_ascii(struct mox_slice label, unsigned flags)
{
    if (!mox__slice_is_ascii(label))
        flags = 0;
    for (size_t i = 0; i < label.len; i++)
        if (label.data[i] < 0x80 && !is_label_byte(label.data[i], flags))
            return false;
    return true;
}

/* The A-labels of a name in UTF-8; free with idn2_free(). */
static int to_ascii(const char *name, char **ascii)
{
    *ascii = NULL;
    return status_of(idn2_lookup_u8((const uint8_t *)name, (uint8_t **)ascii,
                                    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL));
}

/* Whether the A-labels are those of the U-labels that they stand for. Others can be written too,
 * and libidn2 lets some pass: that of U+00A0, which would be a space in the middle of a name. */
static int check_round_trip(const char *ascii, const char *unicode)
{
    char *again;
    int rc = to_ascii(unicode, &again);
    if (rc == MOX_OK && strcmp(ascii, again) != 0)
        rc = MOX_ESYNTAX;
    idn2_free(again);
    return rc;
}

/* Both directions, so that an A-label and its U-label give the same pair. */
static int take_unicode(struct mox_domain *out, struct mox_slice text, unsigned flags)
{
    char copy[MOX_DOMAIN_UNICODE_MAX + 1];
    if (text.len >= sizeof copy || memchr(text.data, '\0', text.len) != NULL)
        return MOX_ESYNTAX;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    char *ascii, *unicode = NULL;
    int rc = to_ascii(copy, &ascii);
    if (rc == MOX_OK && !is_ascii_name(slice_of(ascii), flags))
        rc = MOX_ESYNTAX; /* also a mapping that ends in a dot: U+3002 is one */
    if (rc == MOX_OK)
        rc = keep(out->ascii, sizeof out->ascii, ascii);
    if (rc == MOX_OK)
        rc = status_of(idn2_to_unicode_8z8z(ascii, &unicode, IDN2_NONTRANSITIONAL));
    if (rc == MOX_OK)
        rc = keep(out->unicode, sizeof out->unicode, unicode);
    if (rc == MOX_OK && !all_labels(slice_of(out->unicode), has_std3_ascii, flags))
        rc = MOX_ESYNTAX;
    if (rc == MOX_OK)
        rc = check_round_trip(out->ascii, out->unicode);
    idn2_free(ascii);
    idn2_free(unicode);
    return rc;
}
#else
static int take_unicode(struct mox_domain *out, struct mox_slice text, unsigned flags)
{
    if (!mox__slice_is_ascii(text))
        return MOX_EUNSUPPORTED;
    return take_ascii(out, text, flags);
}
#endif

static bool is_ip(const struct mox_domain *name)
{
    struct ip ip;
    return mox__ip_parse(slice_of(name->ascii), &ip);
}

int mox_domain_parse(struct mox_domain *out, struct mox_slice text, unsigned flags)
{
    out->ascii[0] = out->unicode[0] = '\0';
    bool plain = mox__slice_is_ascii(text) && all_labels(text, is_no_a_label, 0);
    int rc = plain ? take_ascii(out, text, flags) : take_unicode(out, text, flags);
    /* After the mapping: full-width digits make an address too. */
    if (rc == MOX_OK && is_ip(out))
        rc = MOX_ESYNTAX;
    if (rc < 0)
        out->ascii[0] = out->unicode[0] = '\0';
    return rc;
}
