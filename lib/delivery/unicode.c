/* SPDX-License-Identifier: MIT */
#include "delivery/unicode.h"

#include <string.h>

#include <mox/dns.h>

#include "base/text.h"

const char *mox__in_unicode(struct arena *a, const char *ascii)
{
    struct mox_domain domain;
    if (strstr(ascii, "xn--") == NULL ||
        mox_domain_parse(&domain, slice_of(ascii), MOX_DOMAIN_UNDERSCORES) != MOX_OK)
        return ascii;
    return mox__arena_strndup(a, domain.unicode, strlen(domain.unicode));
}
