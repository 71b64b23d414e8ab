/* SPDX-License-Identifier: MIT */
#include "sasl/scram.h"

#include <string.h>

#include "base/text.h"

bool mox__scram_take(struct mox_slice *rest, uint8_t name, struct mox_slice *value)
{
    if (rest->len < 3 || rest->data[0] != name || rest->data[1] != '=')
        return false;
    const uint8_t *comma = memchr(rest->data, ',', rest->len);
    size_t len = comma == NULL ? rest->len : (size_t)(comma - rest->data);
    *value = slice(rest->data + 2, len < 2 ? 0 : len - 2);
    *rest = comma == NULL ? slice(NULL, 0) : slice_from(*rest, len + 1);
    return value->len > 0;
}

enum scram_extensions mox__scram_skip(struct mox_slice *rest, uint8_t end)
{
    struct mox_slice value;
    while (rest->data != NULL && !(end != 0 && rest->len > 0 && rest->data[0] == end)) {
        uint8_t name = rest->len == 0 ? 0 : rest->data[0];
        if (!is_alpha(name) || !mox__scram_take(rest, name, &value))
            return EXTENSIONS_BAD;
        if (name == 'm')
            return EXTENSIONS_MANDATORY;
    }
    return EXTENSIONS_FINE;
}

bool mox__scram_is_nonce(struct mox_slice nonce)
{
    for (size_t i = 0; i < nonce.len; i++)
        if (nonce.data[i] <= ' ' || nonce.data[i] > '~' || nonce.data[i] == ',')
            return false;
    return nonce.len > 0;
}

enum hash mox__scram_hash(enum mox_sasl_mechanism m)
{
    return m == MOX_SASL_SCRAM_SHA_1 || m == MOX_SASL_SCRAM_SHA_1_PLUS ? HASH_SHA1 : HASH_SHA256;
}

enum mox_sasl_mechanism mox__scram_plus(enum mox_sasl_mechanism m)
{
    return mox__scram_hash(m) == HASH_SHA1 ? MOX_SASL_SCRAM_SHA_1_PLUS
                                           : MOX_SASL_SCRAM_SHA_256_PLUS;
}

bool mox__scram_is_plus(enum mox_sasl_mechanism m)
{
    return m == mox__scram_plus(m);
}
