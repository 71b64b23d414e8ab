/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <mox/error.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct buf *out, struct mox_slice in, const char *alphabet, bool pad)
{
    for (size_t i = 0; i < in.len; i += 3) {
        size_t n = in.len - i < 3 ? in.len - i : 3;
        uint32_t v = (uint32_t)in.data[i] << 16;
        if (n > 1)
            v |= (uint32_t)in.data[i + 1] << 8;
        if (n > 2)
            v |= in.data[i + 2];
        char quad[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63], alphabet[v >> 6 & 63],
                        alphabet[v & 63]};
        mox__buf_append(out, quad, n + 1);
        if (pad)
            mox__buf_append(out, "==", 3 - n);
    }
}

void mox__base64_encode(struct buf *out, struct mox_slice in)
{
    encode(out, in, standard, true);
}

void mox__base64_text(char *out, size_t size, struct mox_slice in)
{
    struct buf b = buf_over(out, size - 1);
    mox__base64_encode(&b, in);
    out[b.len] = '\0';
}

void mox__base64url_encode(struct buf *out, struct mox_slice in)
{
    encode(out, in, url, false);
}

int mox__base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int mox__base64_decode(struct buf *out, struct mox_slice in)
{
    if (in.len % 4 != 0)
        return MOX_ESYNTAX;
    for (size_t i = 0; i < in.len; i += 4) {
        size_t n = 4; /* characters of this quad that are not padding */
        if (i + 4 == in.len && in.data[i + 3] == '=')
            n = in.data[i + 2] == '=' ? 2 : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < n; k++) {
            int value = mox__base64_value(in.data[i + k]);
            if (value < 0)
                return MOX_ESYNTAX;
            v |= (uint32_t)value << (18 - 6 * k);
        }
        if ((n == 2 && (v & 0xffff) != 0) || (n == 3 && (v & 0xff) != 0))
            return MOX_ESYNTAX; /* bits behind the end must be zero (RFC 4648 §3.5) */
        uint8_t bytes[3] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
        mox__buf_append(out, bytes, n - 1);
    }
    return out->failed ? MOX_ENOMEM : MOX_OK;
}
