/* SPDX-License-Identifier: MIT */
#include "base/ip.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

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

void mox__ip_format(const struct ip *ip, char out[IP_TEXT_MAX])
{
    out[0] = '\0';
    (void)inet_ntop(ip->v6 ? AF_INET6 : AF_INET, ip->bytes, out, IP_TEXT_MAX);
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
