/* SPDX-License-Identifier: MIT */
#include "base/ip.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "base/text.h"

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool mox__ip_parse(struct mox_slice text, struct ip *out)
{
    char copy[IP_TEXT_MAX];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, '\0', text.len) != NULL)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, copy, out->bytes) == 1)
        return true;
    uint8_t v6[16];
    if (inet_pton(AF_INET6, copy, v6) != 1)
        return false;
    out->v6 = memcmp(v6, mapped_prefix, sizeof mapped_prefix) != 0;
    if (out->v6)
        memcpy(out->bytes, v6, sizeof v6);
    else
        memcpy(out->bytes, v6 + 12, 4);
    return true;
}

static bool port_parse(struct mox_slice text, uint16_t *port)
{
    uint64_t n;
    if (!mox__slice_uint(text, 65535, &n) || n == 0)
        return false;
    *port = (uint16_t)n;
    return true;
}

bool mox__ip_port_parse(struct mox_slice text, struct ip *ip, uint16_t *port)
{
    const uint8_t *colon = text.len == 0 ? NULL : memchr(text.data, ':', text.len);
    if (text.len > 0 && text.data[0] == '[') {
        const uint8_t *close = memchr(text.data, ']', text.len);
        if (close == NULL)
            return false;
        size_t at = (size_t)(close - text.data);
        struct mox_slice rest = slice_from(text, at + 1);
        return mox__ip_parse(slice(text.data + 1, at - 1), ip) &&
               (rest.len == 0 || (rest.data[0] == ':' && port_parse(slice_from(rest, 1), port)));
    }
    if (colon == NULL || memchr(colon + 1, ':', text.len - (size_t)(colon - text.data) - 1) != NULL)
        return mox__ip_parse(text, ip); /* without a port; IPv6 has at least two colons */
    size_t at = (size_t)(colon - text.data);
    return mox__ip_parse(slice(text.data, at), ip) && port_parse(slice_from(text, at + 1), port);
}

void mox__ip_format(const struct ip *ip, char out[IP_TEXT_MAX])
{
    out[0] = '\0';
    (void)inet_ntop(ip->v6 ? AF_INET6 : AF_INET, ip->bytes, out, IP_TEXT_MAX);
}

bool mox__ip_is_unspecified(const struct ip *ip)
{
    static const struct ip none;
    return memcmp(ip->bytes, none.bytes, ip->v6 ? 16 : 4) == 0;
}

bool mox__ip_is_public(const struct ip *ip)
{
    static const struct {
        uint8_t value[2], mask[2];
    } others[] = {
        {{0, 0}, {255, 0}},       /* this network (RFC 791 §3.2) */
        {{10, 0}, {255, 0}},      /* private (RFC 1918) */
        {{100, 64}, {255, 192}},  /* shared by customers of a provider (RFC 6598) */
        {{127, 0}, {255, 0}},     /* loopback */
        {{169, 254}, {255, 255}}, /* link-local (RFC 3927) */
        {{172, 16}, {255, 240}},  /* private */
        {{192, 168}, {255, 255}}, /* private */
        {{224, 0}, {224, 0}},     /* groups, and what is reserved */
    };
    if (ip->v6) /* RFC 4291 §2.4: what was given out so far */
        return (ip->bytes[0] & 0xe0) == 0x20;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if ((ip->bytes[0] & others[i].mask[0]) == others[i].value[0] &&
            (ip->bytes[1] & others[i].mask[1]) == others[i].value[1])
            return false;
    return true;
}

void mox__ip_mask(const struct ip *ip, unsigned class, struct ip *out)
{
    static const unsigned bits[2][3] = {{32, 26, 21}, {64, 48, 32}};
    assert(class >= 1 && class <= 3);
    unsigned keep = bits[ip->v6][class - 1];
    *out = *ip;
    for (unsigned i = 0; i < sizeof out->bytes; i++) {
        unsigned left = keep > i * 8 ? keep - i * 8 : 0;
        if (left < 8)
            out->bytes[i] = (uint8_t)(out->bytes[i] & (0xff00u >> left));
    }
}
