/* SPDX-License-Identifier: MIT */
#include "dns/nfc.h"

#include <stdlib.h>

#ifdef MOX_HAVE_IDN
#include <uninorm.h>
#endif

#include <mox/error.h>

#include "base/text.h"

#ifdef MOX_HAVE_IDN
static int normalize(struct buf *out, struct mox_slice text)
{
    size_t len = 0;
    uint8_t *normal = u8_normalize(UNINORM_NFC, text.data, text.len, NULL, &len);
    if (normal == NULL)
        return MOX_ENOMEM;
    mox__buf_append(out, normal, len);
    free(normal); /* the library's own allocation */
    return out->failed ? MOX_ENOMEM : MOX_OK;
}
#else
static int normalize(struct buf *out, struct mox_slice text)
{
    (void)out;
    (void)text;
    return MOX_EUNSUPPORTED;
}
#endif

int mox__nfc(struct buf *out, struct mox_slice text)
{
    if (!mox__slice_is_ascii(text))
        return mox__slice_is_utf8(text) ? normalize(out, text) : MOX_ESYNTAX;
    mox__buf_slice(out, text);
    return out->failed ? MOX_ENOMEM : MOX_OK;
}
