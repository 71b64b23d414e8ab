/* SPDX-License-Identifier: MIT */
#include "dns/zone.h"

#include <arpa/inet.h>

#include "base/text.h"
#include "dns/question.h"

/* Cuts the word before the next space off; the last word is what is left. */
static struct mox_slice take_word(struct mox_slice *rest)
{
    const uint8_t *space = rest->len == 0 ? NULL : memchr(rest->data, ' ', rest->len);
    struct mox_slice word = space == NULL ? *rest : slice(rest->data, (size_t)(space - rest->data));
    *rest = slice_from(*rest, word.len);
    while (rest->len > 0 && rest->data[0] == ' ')
        *rest = slice_from(*rest, 1);
    return word;
}

static bool take_u16(struct mox_slice *rest, uint16_t *out)
{
    uint64_t n;
    bool ok = mox__slice_uint(take_word(rest), UINT16_MAX, &n);
    *out = ok ? (uint16_t)n : 0;
    return ok;
}

static bool take_u8(struct mox_slice *rest, uint8_t *out)
{
    uint64_t n;
    bool ok = mox__slice_uint(take_word(rest), UINT8_MAX, &n);
    *out = ok ? (uint8_t)n : 0;
    return ok;
}

static int read_address(struct mox_slice value, int family, uint8_t *out)
{
    char text[INET6_ADDRSTRLEN];
    if (value.len >= sizeof text || memchr(value.data, '\0', value.len) != NULL)
        return MOX_ESYNTAX;
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    return inet_pton(family, text, out) == 1 ? MOX_OK : MOX_ESYNTAX;
}

static int read_name(struct arena *a, struct mox_slice value, const char **out)
{
    char name[MOX_DOMAIN_MAX + 1];
    if (value.len == 0 || !mox__dns_name(value, name))
        return MOX_ESYNTAX;
    *out = mox__arena_strndup(a, name, strlen(name));
    return *out == NULL ? MOX_ENOMEM : MOX_OK;
}

static int read_txt(struct arena *a, struct mox_slice value, struct mox_slice *out)
{
    if (value.len > ZONE_TXT_MAX)
        return MOX_ELIMIT;
    const char *copy = mox__arena_strndup(a, value.data, value.len);
    *out = slice(copy, value.len);
    return copy == NULL ? MOX_ENOMEM : MOX_OK;
}

static int read_hex(struct arena *a, struct mox_slice text, struct mox_slice *out)
{
    if (text.len == 0 || text.len % 2 != 0)
        return MOX_ESYNTAX;
    uint8_t *bytes = arena_new(a, uint8_t, text.len / 2);
    if (bytes == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.data[i]), low = hex_value(text.data[i + 1]);
        if (high < 0 || low < 0)
            return MOX_ESYNTAX;
        bytes[i / 2] = (uint8_t)(high * 16 + low);
    }
    *out = slice(bytes, text.len / 2);
    return MOX_OK;
}

static int read_mx(struct arena *a, struct mox_slice value, struct mox_dns_record *r)
{
    if (!take_u16(&value, &r->data.mx.preference))
        return MOX_ESYNTAX;
    return read_name(a, value, &r->data.mx.host);
}

static int read_srv(struct arena *a, struct mox_slice value, struct mox_dns_record *r)
{
    if (!take_u16(&value, &r->data.srv.priority) || !take_u16(&value, &r->data.srv.weight) ||
        !take_u16(&value, &r->data.srv.port))
        return MOX_ESYNTAX;
    return read_name(a, value, &r->data.srv.target);
}

static int read_tlsa(struct arena *a, struct mox_slice value, struct mox_dns_record *r)
{
    if (!take_u8(&value, &r->data.tlsa.usage) || !take_u8(&value, &r->data.tlsa.selector) ||
        !take_u8(&value, &r->data.tlsa.matching))
        return MOX_ESYNTAX;
    return read_hex(a, value, &r->data.tlsa.data);
}

int mox__zone_value(struct arena *a, enum mox_dns_type type, struct mox_slice value,
                    struct mox_dns_record *r, const char **help)
{
    *r = (struct mox_dns_record){0};
    switch (type) {
    case MOX_DNS_A:
        *help = "an IPv4 address such as 192.0.2.1";
        return read_address(value, AF_INET, r->data.a);
    case MOX_DNS_AAAA:
        *help = "an IPv6 address such as 2001:db8::1";
        return read_address(value, AF_INET6, r->data.aaaa);
    case MOX_DNS_NS:
    case MOX_DNS_CNAME:
    case MOX_DNS_PTR:
        *help = "a name such as host.example";
        return read_name(a, value, &r->data.name);
    case MOX_DNS_TXT:
        *help = "a text that fits into one record";
        return read_txt(a, value, &r->data.txt);
    case MOX_DNS_MX:
        *help = "preference and host, such as 10 mx.example";
        return read_mx(a, value, r);
    case MOX_DNS_SRV:
        *help = "priority, weight, port and target, such as 0 1 143 imap.example";
        return read_srv(a, value, r);
    case MOX_DNS_TLSA:
        *help = "usage, selector, matching and hex digits, such as 3 1 1 00ff";
        return read_tlsa(a, value, r);
    }
    *help = "another type";
    return MOX_ESYNTAX;
}
