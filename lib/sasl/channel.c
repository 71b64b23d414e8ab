/* SPDX-License-Identifier: MIT */
#include "sasl/channel.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

void mox__sasl_channel_init(struct sasl_channel *c, const struct mox_tls_info *info)
{
    *c = (struct sasl_channel){.has_exporter = info->has_exporter,
                               .has_client_key = info->has_client_key};
    memcpy(c->exporter, info->exporter, sizeof c->exporter);
    memcpy(c->exporter_empty, info->exporter_empty, sizeof c->exporter_empty);
    for (size_t i = 0; i < sizeof c->exporter_empty; i++) /* hosts may not give it */
        c->has_exporter_empty = c->has_exporter_empty || c->exporter_empty[i] != 0;
    if (info->end_point_len <= sizeof c->end_point)
        c->end_point_len = info->end_point_len;
    memcpy(c->end_point, info->end_point, sizeof c->end_point);
    if (info->unique_len <= sizeof c->unique)
        c->unique_len = info->unique_len;
    memcpy(c->unique, info->unique, sizeof c->unique);
}

struct mox_slice mox__sasl_channel_bytes(const struct sasl_channel *c, enum gs2_binding binding)
{
    if (binding == BINDING_EXPORTER && c->has_exporter)
        return slice(c->exporter, sizeof c->exporter);
    if (binding == BINDING_END_POINT && c->end_point_len > 0)
        return slice(c->end_point, c->end_point_len);
    if (binding == BINDING_UNIQUE && c->unique_len > 0)
        return slice(c->unique, c->unique_len);
    return slice(NULL, 0);
}

bool mox__sasl_channel_is(const struct sasl_channel *c, enum gs2_binding binding,
                          struct mox_slice bytes)
{
    struct mox_slice own = mox__sasl_channel_bytes(c, binding);
    if (bytes.len != own.len)
        return false;
    /* Clients differ in what an empty context of TLS 1.2 is (RFC 5705 §4). */
    return mox__secret_eq(bytes.data, own.data, own.len) ||
           (binding == BINDING_EXPORTER && c->has_exporter_empty &&
            mox__secret_eq(bytes.data, c->exporter_empty, sizeof c->exporter_empty));
}
