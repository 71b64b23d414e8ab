/* SPDX-License-Identifier: MIT */
#include "sasl/channel.h"

#include <string.h>

#include "base/text.h"

void mox__sasl_channel_init(struct sasl_channel *c, const struct mox_tls_info *info)
{
    *c = (struct sasl_channel){.has_exporter = info->has_exporter,
                               .has_client_key = info->has_client_key};
    memcpy(c->exporter, info->exporter, sizeof c->exporter);
    if (info->end_point_len <= sizeof c->end_point)
        c->end_point_len = info->end_point_len;
    memcpy(c->end_point, info->end_point, sizeof c->end_point);
}

struct mox_slice mox__sasl_channel_bytes(const struct sasl_channel *c, enum gs2_binding binding)
{
    if (binding == BINDING_EXPORTER && c->has_exporter)
        return slice(c->exporter, sizeof c->exporter);
    if (binding == BINDING_END_POINT && c->end_point_len > 0)
        return slice(c->end_point, c->end_point_len);
    return slice(NULL, 0);
}
