/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_RULESET_HEADERS_H
#define DELIVERY_RULESET_HEADERS_H

#include <mox/env.h>

#include "base/buf.h"

/* Headers as rulesets look at them: in lower case, values on one line and trimmed. */
struct ruleset_headers {
    struct ruleset_field {
        size_t name_at, name_len, value_at, value_len; /* in `text` */
    } * fields;
    size_t count;
    struct buf text;
};

/* Headers of more bytes, or more fields, are nobody's whose mail is worth sorting. */
#define RULESET_HEADERS_MAX ((size_t)1 << 20)
#define RULESET_FIELDS_MAX  4096

/* Whether the headers are headers, each line of them (RFC 5322 §2.2), and within the bounds. */
bool mox__ruleset_headers_are_valid(struct mox_slice headers, size_t *count);
/* Reads valid headers. MOX_ENOMEM. Free in any case. */
MOX_MUST_USE int mox__ruleset_headers_read(struct ruleset_headers *out, const struct mox_env *env,
                                           struct mox_slice headers, size_t count);
void mox__ruleset_headers_free(struct ruleset_headers *h);

static inline struct mox_slice ruleset_field_name(const struct ruleset_headers *h, size_t i)
{
    return (struct mox_slice){h->text.data + h->fields[i].name_at, h->fields[i].name_len};
}

static inline struct mox_slice ruleset_field_value(const struct ruleset_headers *h, size_t i)
{
    return (struct mox_slice){h->text.data + h->fields[i].value_at, h->fields[i].value_len};
}

#endif
