/* SPDX-License-Identifier: MIT */
#include "delivery/lower.h"

#ifdef MOX_HAVE_IDN
#include <unicase.h>
#include <unistr.h>
#endif

#include "base/text.h"

#ifdef MOX_HAVE_IDN
/* One character that is not ASCII. Returns the bytes that it takes. */
static size_t lower_one(struct buf *out, struct mox_slice text)
{
    ucs4_t c = 0;
    uint8_t lower[6];
    int len = u8_mbtoucr(&c, text.data, text.len);
    if (len <= 0) {
        mox__buf_byte(out, text.data[0]);
        return 1;
    }
    int lower_len = u8_uctomb(lower, uc_tolower(c), sizeof lower);
    if (lower_len > 0)
        mox__buf_append(out, lower, (size_t)lower_len);
    else
        mox__buf_append(out, text.data, (size_t)len);
    return (size_t)len;
}
#else
static size_t lower_one(struct buf *out, struct mox_slice text)
{
    mox__buf_byte(out, text.data[0]);
    return 1;
}
#endif

void mox__lower(struct buf *out, struct mox_slice text)
{
    while (text.len > 0 && !out->failed) {
        size_t len = 1;
        if (text.data[0] < 0x80)
            mox__buf_byte(out, to_lower(text.data[0]));
        else
            len = lower_one(out, text);
        text = slice_from(text, len);
    }
}
