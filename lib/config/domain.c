/* SPDX-License-Identifier: MIT */
#include "config/domain.h"

#include <stdlib.h>

#ifdef MOX_HAVE_IDN
#include <unicase.h>
#include <uninorm.h>
#endif

#include <mox/dns.h>

#include "base/text.h"

const char *mox__config_domain(struct mox_slice in, char out[DOMAIN_NAME_MAX + 1])
{
    struct mox_domain domain;
    int rc = mox_domain_parse(&domain, in, 0);
    memcpy(out, domain.unicode, strlen(domain.unicode) + 1);
    if (rc == MOX_EUNSUPPORTED)
        return "has Unicode letters, which this build cannot read; write its A-labels (xn--…)";
    if (rc == MOX_ENOMEM)
        return "could not be read: out of memory";
    if (rc < 0)
        return "is not a domain name; it has letters, digits and '-' between single dots, no dot "
               "at the end, and is no IP address";
    return NULL;
}

#ifdef MOX_HAVE_IDN
/* Unicode lower case and normalization form C. */
static bool fold(struct mox_slice in, bool keep_case, char *out, size_t *len)
{
    uint8_t buf[LOCALPART_CANONICAL_MAX];
    *len = sizeof buf;
    uint8_t *folded = keep_case ? u8_normalize(UNINORM_NFC, in.data, in.len, buf, len)
                                : u8_tolower(in.data, in.len, NULL, UNINORM_NFC, buf, len);
    if (folded == NULL)
        return false;
    bool fits = *len <= LOCALPART_CANONICAL_MAX;
    if (fits)
        memcpy(out, folded, *len);
    if (folded != buf)
        free(folded);
    return fits;
}
#endif

static void fold_ascii(struct mox_slice in, bool keep_case, char *out, size_t *len)
{
    for (size_t i = 0; i < in.len; i++)
        out[i] = (char)(keep_case ? in.data[i] : to_lower(in.data[i]));
    *len = in.len;
}

static void cut(char *text, const char *separator)
{
    char *found = *separator == '\0' ? NULL : strstr(text, separator);
    if (found != NULL)
        *found = '\0';
}

bool mox__config_localpart_whole(const struct mox_config_domain *domain, struct mox_slice in,
                                 char out[LOCALPART_CANONICAL_MAX + 1])
{
    size_t len = 0;
    if (in.len > LOCALPART_MAX || !mox__slice_is_utf8(in) ||
        (in.len > 0 && memchr(in.data, '\0', in.len) != NULL))
        return false;
    bool keep_case = domain->localpart_case_sensitive;
#ifdef MOX_HAVE_IDN
    if (mox__slice_is_ascii(in))
        fold_ascii(in, keep_case, out, &len);
    else if (!fold(in, keep_case, out, &len))
        return false;
#else
    fold_ascii(in, keep_case, out, &len);
#endif
    out[len] = '\0';
    return true;
}

bool mox__config_localpart(const struct mox_config_domain *domain, struct mox_slice in,
                           char out[LOCALPART_CANONICAL_MAX + 1])
{
    if (!mox__config_localpart_whole(domain, in, out))
        return false;
    cut(out, domain->localpart_catchall_separator);
    for (size_t i = 0; i < domain->localpart_catchall_separators.count; i++)
        cut(out, domain->localpart_catchall_separators.items[i]);
    return true;
}

/* RFC 5321 §4.1.2 Quoted-string, its quotes included. */
static bool unquote(struct mox_slice in, char out[LOCALPART_MAX], size_t *len)
{
    *len = 0;
    for (size_t i = 1; i + 1 < in.len; i++) {
        if (in.data[i] == '\\' && i + 2 < in.len)
            i++;
        if (*len == LOCALPART_MAX)
            return false;
        out[(*len)++] = (char)in.data[i];
    }
    return true;
}

bool mox__config_split(struct mox_slice address, char out[LOCALPART_MAX],
                       struct mox_slice *localpart, struct mox_slice *domain)
{
    size_t at = address.len;
    while (at > 0 && address.data[at - 1] != '@')
        at--;
    *localpart = at == 0 ? address : slice(address.data, at - 1);
    *domain = at == 0 ? (struct mox_slice){0} : slice_from(address, at);
    struct mox_slice l = *localpart;
    if (l.len >= 2 && l.data[0] == '"' && l.data[l.len - 1] == '"') {
        if (!unquote(l, out, &l.len))
            return false;
        *localpart = slice(out, l.len);
    }
    return localpart->len <= LOCALPART_MAX;
}
