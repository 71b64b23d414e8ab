/* SPDX-License-Identifier: MIT */
#include "dns/question.h"

#include "base/text.h"

#define LABEL_MAX 63 /* RFC 1035 §2.3.4 */

static const struct {
    const char *name;
    enum mox_dns_type type;
} types[] = {
    {"A", MOX_DNS_A},     {"AAAA", MOX_DNS_AAAA}, {"CNAME", MOX_DNS_CNAME},
    {"MX", MOX_DNS_MX},   {"NS", MOX_DNS_NS},     {"PTR", MOX_DNS_PTR},
    {"SRV", MOX_DNS_SRV}, {"TLSA", MOX_DNS_TLSA}, {"TXT", MOX_DNS_TXT},
};

const char *mox_dns_type_name(enum mox_dns_type type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == type)
            return types[i].name;
    return NULL;
}

bool mox_dns_type_parse(struct mox_slice text, enum mox_dns_type *out)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (mox__slice_is_nocase(text, types[i].name)) {
            *out = types[i].type;
            return true;
        }
    return false;
}

const char *mox_dns_status_name(enum mox_dns_status status)
{
    static const char *const names[] = {"found",   "nodata",   "nxdomain",
                                        "timeout", "servfail", "bogus"};
    return names[status];
}

bool mox_dns_is_temporary(enum mox_dns_status status)
{
    return status >= MOX_DNS_TIMEOUT;
}

bool mox__dns_name(struct mox_slice text, char out[MOX_DOMAIN_MAX + 1])
{
    size_t label = 0; /* its bytes so far */
    if (text.len > 0 && text.data[text.len - 1] == '.')
        text.len--;
    if (text.len > MOX_DOMAIN_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool is_end = c == '.';
        if (c == '\0' || (is_end && label == 0) || (!is_end && label == LABEL_MAX))
            return false;
        label = is_end ? 0 : label + 1;
        out[i] = (char)to_lower(c);
    }
    out[text.len] = '\0';
    return text.len == 0 || label > 0;
}

bool mox__dns_is_within(const char *name, const char *domain)
{
    size_t len = strlen(name), above = strlen(domain);
    return len >= above && mox__slice_is_nocase(slice(name + len - above, above), domain) &&
           (len == above || name[len - above - 1] == '.');
}
