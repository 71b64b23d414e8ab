/* SPDX-License-Identifier: MIT */
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/priv.h"

/* An address; an IPv4-mapped IPv6 address is an IPv4 address. */
struct ip {
    uint8_t bytes[16]; /* IPv4: the first four */
    bool v6;
};

#define IP_TEXT_MAX 46

/* Text form without brackets or zone. */
MOX_PRIV bool mox__ip_parse(struct mox_slice text, struct ip *out);
/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1" or "[2001:db8::1]:53"; *port is left alone without one. */
MOX_PRIV bool mox__ip_port_parse(struct mox_slice text, struct ip *ip, uint16_t *port);
/* "0.0.0.0", "::": all addresses of the machine. */
MOX_PRIV bool mox__ip_is_unspecified(const struct ip *ip);
/* Whether it may be one of the internet: none of a machine, a link, a private network or a group. */
MOX_PRIV bool mox__ip_is_public(const struct ip *ip);
MOX_PRIV void mox__ip_format(const struct ip *ip, char out[IP_TEXT_MAX]);

/* The three classes by which rate limits and reputation group addresses: IPv4 /32 /26 /21,
 * IPv6 /64 /48 /32. `class` is 1, 2 or 3. */
MOX_PRIV void mox__ip_mask(const struct ip *ip, unsigned class, struct ip *out);

#endif
