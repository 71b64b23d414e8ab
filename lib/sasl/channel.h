/* SPDX-License-Identifier: MIT */
#ifndef SASL_CHANNEL_H
#define SASL_CHANNEL_H

#include <mox/engine.h>

#include "sasl/gs2.h"

/* What an exchange knows of its connection: the bytes that name the channel (RFC 5056), and whether
 * the client has shown a certificate. */
struct sasl_channel {
    bool has_exporter, has_exporter_empty, has_client_key;
    uint8_t exporter[32], exporter_empty[32];
    size_t end_point_len, unique_len;
    uint8_t end_point[64], unique[36];
};

/* Without TLS `info` is all zeros. */
void mox__sasl_channel_init(struct sasl_channel *c, const struct mox_tls_info *info);
/* The bytes of a binding, borrowed; data NULL if the channel has none of this kind. */
struct mox_slice mox__sasl_channel_bytes(const struct sasl_channel *c, enum gs2_binding binding);
/* Whether these are the bytes of the channel, in any way to compute them. Constant time. */
bool mox__sasl_channel_is(const struct sasl_channel *c, enum gs2_binding binding,
                          struct mox_slice bytes);

#endif
