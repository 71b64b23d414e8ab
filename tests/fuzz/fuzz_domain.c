/* SPDX-License-Identifier: MIT */

/* Names and addresses of the network have one form: what was read is read the same again, from either
 * of a name's forms; what masks leave has fewer bits the wider the mask. */

#include <mox/dns.h>

#include "base/ip.h"
#include "fuzz/input.h"
#include "smtp/path.h"

static void check_labels(const char *name)
{
    size_t label = 0;
    for (; *name != '\0'; name++) {
        uint8_t c = (uint8_t)*name;
        assert(c == '.' || c == '-' || c == '_' || is_digit(c) || (c >= 'a' && c <= 'z'));
        label = c == '.' ? 0 : label + 1;
        assert(label <= 63 && !(c == '.' && (name[1] == '.' || name[1] == '\0')));
    }
}

static void check_name(struct mox_slice text, unsigned flags)
{
    struct mox_domain name, again;
    struct ip ip;
    int rc = mox_domain_parse(&name, text, flags);
    assert(rc == MOX_OK || rc == MOX_ESYNTAX || rc == MOX_EUNSUPPORTED);
    if (rc < 0) {
        assert(name.ascii[0] == '\0' && name.unicode[0] == '\0');
        return;
    }
    assert(name.ascii[0] != '\0' && strlen(name.ascii) <= MOX_DOMAIN_MAX);
    assert(mox__slice_is_utf8(slice_of(name.unicode)));
    assert(!mox__ip_parse(slice_of(name.ascii), &ip));
    check_labels(name.ascii);
    const char *const forms[] = {name.ascii, name.unicode};
    for (size_t i = 0; i < 2; i++) {
        assert(mox_domain_parse(&again, slice_of(forms[i]), flags) == MOX_OK);
        assert(strcmp(name.ascii, again.ascii) == 0 && strcmp(name.unicode, again.unicode) == 0);
    }
}

static void check_ip(struct mox_slice text)
{
    struct ip ip, again, masked, wider;
    char form[IP_TEXT_MAX], literal[SMTP_LITERAL_MAX];
    if (!mox__ip_parse(text, &ip))
        return;
    mox__ip_format(&ip, form);
    assert(mox__ip_parse(slice_of(form), &again) && memcmp(&ip, &again, sizeof ip) == 0);
    mox__ip_mask(&ip, 1, &masked);
    for (unsigned class = 2; class <= 3; class ++) {
        mox__ip_mask(&masked, class, &again);
        mox__ip_mask(&ip, class, &wider);
        assert(memcmp(&wider, &again, sizeof wider) == 0);
    }
    char bracketed[IP_TEXT_MAX + 8] = "[";
    strcat(strcat(strcat(bracketed, ip.v6 ? "IPv6:" : ""), form), "]");
    assert(mox__smtp_literal_parse(slice_of(bracketed), true, literal));
    assert(strcmp(literal, bracketed) == 0);
}

static void check_literal(struct mox_slice text, bool pedantic)
{
    char literal[SMTP_LITERAL_MAX], again[SMTP_LITERAL_MAX];
    if (!mox__smtp_literal_parse(text, pedantic, literal))
        return;
    assert(literal[0] == '[' && literal[strlen(literal) - 1] == ']');
    assert(mox__smtp_literal_parse(slice_of(literal), true, again) && strcmp(literal, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {{data, len}};
    unsigned flags = input_below(&in, 2);
    check_name(in.rest, flags != 0 ? MOX_DOMAIN_UNDERSCORES : 0);
    check_ip(in.rest);
    check_literal(in.rest, flags != 0);
    return 0;
}
